// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <set>

namespace vireo::qemu {

namespace {

void check_virtiofs(const DomainDef& def, const FilesystemDef& fs) {
    const xml::Where where = fs.info.where;
    require_shared_memory(def, where, "driver", "type='virtiofs'");
    if (fs.model) {
        refuse(where, "filesystem", "model='{}' is not for type='virtiofs'", name_of(*fs.model));
    }
    if (fs.access_mode != FilesystemAccess::passthrough) {
        refuse(where, "filesystem", "type='virtiofs' has accessmode='passthrough'");
    }
    if (fs.format) {
        refuse(where, "driver", "format='{}' is not for type='virtiofs'", name_of(*fs.format));
    }
    if (fs.write_policy || fs.multidevs || fs.fmode || fs.dmode) {
        refuse(
            where, "filesystem", "wrpolicy=, multidevs=, fmode= and dmode= are not for 'virtiofs'");
    }
    if (fs.readonly) {
        refuse(where, "readonly", "type='virtiofs' cannot be; mount it so in the guest");
    }
    if (fs.queue_size && (*fs.queue_size == 0 || (*fs.queue_size & (*fs.queue_size - 1)) != 0 ||
                          *fs.queue_size > 1024)) {
        refuse(where, "driver", "queue='{}' is not a power of two up to 1024", *fs.queue_size);
    }
    if (fs.source_socket && fs.binary) {
        refuse(where, "binary", "whoever listens on '{}' has been started", *fs.source_socket);
    }
}

void check_filesystem(const DomainDef& def, const FilesystemDef& fs) {
    const xml::Where where = fs.info.where;
    if (fs.type != FilesystemType::mount) {
        refuse(
            where, "filesystem", "type='{}' is for containers; QEMU has 'mount'", name_of(fs.type));
    }
    const FilesystemDriver driver = fs.driver.value_or(FilesystemDriver::path);
    if (driver != FilesystemDriver::path && driver != FilesystemDriver::virtiofs &&
        driver != FilesystemDriver::mtp) {
        refuse(where,
               "driver",
               "type='{}' is not one of QEMU's; 'path' and 'virtiofs' are",
               name_of(driver));
    }
    if (driver == FilesystemDriver::virtiofs) {
        check_virtiofs(def, fs);
        return;
    }
    if (fs.info.boot) {
        refuse(where, "boot", "the firmware boots from type='virtiofs' alone");
    }
    if ((fs.fmode || fs.dmode) && fs.access_mode != FilesystemAccess::mapped) {
        refuse(where, "filesystem", "fmode= and dmode= need accessmode='mapped'");
    }
    if (fs.source_socket || fs.binary || fs.queue_size) {
        refuse(where, "filesystem", "a socket, <binary> and queue= need <driver type='virtiofs'/>");
    }
}

} // namespace

void validate_filesystems(const DomainDef& def) {
    std::set<std::string> targets;
    check_each(def.devices.filesystems, [&](const FilesystemDef& fs) {
        check_filesystem(def, fs);
        if (fs.driver == FilesystemDriver::virtiofs && !targets.insert(fs.target_dir).second) {
            refuse(fs.info.where, "target", "dir='{}' is used twice", fs.target_dir);
        }
    });
}

} // namespace vireo::qemu
