// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

namespace {

/// The kernel counts the size of every disk in sectors of 512 bytes, whatever its block size.
constexpr uint64_t sector_size = 512;

/// What kind of drive it is, in libvirt's words: udev's ID_TYPE where that says more than
/// "generic", then its ID_DRIVE_* marks, then the driver's name. Empty for what is no drive: loop
/// devices, RAM disks, device mapper.
std::string drive_type(const SysDevice& device) {
    const std::string type = device.property("ID_TYPE");
    if (type == "cd") {
        return "cdrom";
    }
    if (!type.empty() && type != "generic") {
        return type;
    }
    if (device.property("ID_DRIVE_FLOPPY") == "1") {
        return "floppy";
    }
    if (device.property("ID_CDROM") == "1") {
        return "cdrom";
    }
    if (device.property("ID_DRIVE_FLASH_SD") == "1") {
        return "sd";
    }
    const std::string& name = device.sysname();
    for (const std::string_view driver : {"vd", "nvme", "sd", "dasd", "xvd"}) {
        if (name.starts_with(driver)) {
            return driver == "dasd" ? "dasd" : "disk";
        }
    }
    return {};
}

bool has_medium(const SysDevice& device, const std::string& type) {
    if (type == "cdrom" || !device.property("ID_CDROM_MEDIA").empty()) {
        return device.property("ID_CDROM_MEDIA") == "1";
    }
    return !device.property("ID_FS_LABEL").empty();
}

/// Into a drive, or into the medium that is in it.
template <class T>
void read_size(const SysDevice& device, T& storage) {
    const auto sectors = device.number("size", 10);
    const auto block_size = device.number("queue/logical_block_size", 10);
    storage.logical_block_size =
        block_size && *block_size > 0 ? static_cast<uint64_t>(*block_size) : sector_size;
    storage.size = sectors && *sectors > 0 ? static_cast<uint64_t>(*sectors) * sector_size : 0;
    storage.num_blocks = storage.size / storage.logical_block_size;
}

/// What the kernel tells wins: it is of now.
void add_identity(NvmeNamespace& space, const NamespaceIdentity& identity) {
    if (!space.used) {
        space.used = identity.used_blocks * identity.lba_size;
    }
    if (!space.metadata_size) {
        space.metadata_size = identity.metadata_size;
    }
}

} // namespace

std::optional<NodeDevice> probe_storage(const ProbeSources& sources, const SysDevice& device) {
    const auto devnode = device.devnode();
    StorageCapability storage;
    storage.drive_type = drive_type(device);
    if (device.property("DEVTYPE") != "disk" || !devnode || storage.drive_type.empty()) {
        return std::nullopt;
    }
    storage.block = *devnode;
    storage.bus = device.property("ID_BUS");
    storage.serial = device.property("ID_SERIAL");
    storage.vendor = device.text("device/vendor").value_or("");
    storage.model = device.text("device/model").value_or("");
    const bool changeable = storage.drive_type == "cdrom" || storage.drive_type == "floppy";
    if (changeable && device.number("removable") == 1) {
        RemovableMedia media;
        media.available = has_medium(device, storage.drive_type);
        if (media.available) {
            media.label = device.property("ID_FS_LABEL");
            read_size(device, media);
        }
        storage.removable = std::move(media);
    } else {
        read_size(device, storage);
    }
    storage.nvme_namespace = read_nvme_namespace(device);
    const auto identity = sources.identities.find(device.path());
    if (storage.nvme_namespace && identity != sources.identities.end()) {
        add_identity(*storage.nvme_namespace, identity->second);
    }
    NodeDevice node = base_device(device, storage.serial);
    if (storage.nvme_namespace && !storage.nvme_namespace->controllers.empty()) {
        node.parent = device_name("nvme", storage.nvme_namespace->controllers.front());
    }
    node.capability = std::move(storage);
    return node;
}

} // namespace vireo::nodedev
