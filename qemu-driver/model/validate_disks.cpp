// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <set>
#include <tuple>

namespace vireo::qemu {

namespace {

void check_image(const DiskDef& disk, const DiskImage& image) {
    if (const auto* network = std::get_if<NetworkSource>(&image.source)) {
        for (const SourceHost& host : network->hosts) {
            if (host.transport == HostTransport::unix && !host.socket) {
                refuse(disk.info.where, "host", "transport='unix' needs a socket");
            }
        }
    }
}

void check_disk(const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    const DiskBus bus = *disk.target.bus;
    if (bus == DiskBus::xen || bus == DiskBus::uml || bus == DiskBus::none) {
        refuse(where, "disk", "bus '{}' is not one of QEMU's", name_of(bus));
    }
    if (disk.image.is_empty() && disk.device != DiskDevice::cdrom &&
        disk.device != DiskDevice::floppy) {
        refuse(where,
               "disk",
               "'{}' has no <source>; only CD-ROM and floppy drives can be empty",
               disk.target.dev);
    }
    if (disk.driver.name && *disk.driver.name != "qemu") {
        refuse(where, "driver", "name='{}' is not supported, 'qemu' is", *disk.driver.name);
    }
    if ((disk.device == DiskDevice::floppy) != (bus == DiskBus::fdc) && bus == DiskBus::fdc) {
        refuse(where, "disk", "only floppy drives are on bus 'fdc'");
    }
    if (disk.device == DiskDevice::lun && bus != DiskBus::scsi && bus != DiskBus::virtio) {
        refuse(where, "disk", "device='lun' is only there on bus 'scsi' and 'virtio'");
    }
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        check_image(disk, *image);
    }
}

} // namespace

void validate_disks(const DomainDef& def) {
    std::set<std::string> names;
    std::set<std::tuple<DiskBus, uint32_t, uint32_t, uint32_t, uint32_t>> places;
    for (const DiskDef& disk : def.devices.disks) {
        check_disk(disk);
        if (!names.insert(disk.target.dev).second) {
            refuse(disk.info.where, "target", "dev='{}' is used twice", disk.target.dev);
        }
        if (const DriveAddress* at = disk.info.drive()) {
            if (!places.insert({*disk.target.bus, at->controller, at->bus, at->target, at->unit})
                     .second) {
                refuse(disk.info.where,
                       "address",
                       "controller {}, bus {}, target {}, unit {} is used twice",
                       at->controller,
                       at->bus,
                       at->target,
                       at->unit);
            }
        }
    }
}

} // namespace vireo::qemu
