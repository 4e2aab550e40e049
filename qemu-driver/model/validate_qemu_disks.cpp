// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace vireo::qemu {

namespace {

std::array<std::optional<uint64_t>, 13> limits_of(const DiskIotune& t) {
    return {t.total_bytes_sec,
            t.read_bytes_sec,
            t.write_bytes_sec,
            t.total_iops_sec,
            t.read_iops_sec,
            t.write_iops_sec,
            t.total_bytes_sec_max,
            t.read_bytes_sec_max,
            t.write_bytes_sec_max,
            t.total_iops_sec_max,
            t.read_iops_sec_max,
            t.write_iops_sec_max,
            t.size_iops_sec};
}

uint64_t value_or_none(const std::optional<uint64_t>& limit) {
    return limit.value_or(0);
}

bool same_limits(const DiskIotune& a, const DiskIotune& b) {
    return std::ranges::equal(limits_of(a), limits_of(b), {}, value_or_none, value_or_none);
}

void check_serial(const DiskDef& disk) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ .+";
    if (disk.serial && disk.serial->find_first_not_of(allowed) != std::string::npos) {
        refuse(disk.info.where,
               "serial",
               "'{}' is not made of letters, digits, spaces, '-', '_', '.' and '+'",
               *disk.serial);
    }
    if (disk.serial && disk.target.bus == DiskBus::sd) {
        refuse(disk.info.where, "serial", "disks on bus 'sd' have none");
    }
}

void check_device(const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    const DiskBus bus = *disk.target.bus;
    if (bus == DiskBus::xen || bus == DiskBus::uml || bus == DiskBus::none) {
        refuse(where, "target", "bus='{}' is not one of QEMU's", name_of(bus));
    }
    if (disk.device == DiskDevice::lun && bus != DiskBus::scsi && bus != DiskBus::virtio) {
        refuse(where,
               "disk",
               "device='lun' is there on bus 'scsi' and 'virtio', not '{}'",
               name_of(bus));
    }
    if (disk.device == DiskDevice::cdrom && (bus == DiskBus::virtio || bus == DiskBus::sd)) {
        refuse(where,
               "target",
               "bus='{}' has no media that can be changed; use 'sata', 'scsi', 'ide' or 'usb'",
               name_of(bus));
    }
    if (const auto& dev = disk.target.dev; dev.find_first_of("0123456789") != std::string::npos) {
        refuse(where, "target", "dev='{}': a disk has no partitions to name here", dev);
    }
    const bool scsi_like = bus == DiskBus::scsi || bus == DiskBus::ide || bus == DiskBus::sata;
    if (disk.wwn && !scsi_like) {
        refuse(where,
               "wwn",
               "disks on bus '{}' have none; 'ide', 'sata' and 'scsi' have",
               name_of(bus));
    }
    if ((disk.vendor || disk.product) && bus != DiskBus::scsi) {
        refuse(where,
               disk.vendor ? "vendor" : "product",
               "disks on bus '{}' have none; 'scsi' has",
               name_of(bus));
    }
    if (disk.device == DiskDevice::lun && (disk.vendor || disk.product || disk.wwn)) {
        refuse(where, disk.wwn ? "wwn" : "vendor", "device='lun' shows the device's own");
    }
    if (disk.serial && disk.device == DiskDevice::lun && bus == DiskBus::scsi) {
        refuse(where, "serial", "device='lun' on bus 'scsi' shows the device's own");
    }
    check_serial(disk);
    if (disk.readonly && disk.device == DiskDevice::disk &&
        (bus == DiskBus::ide || bus == DiskBus::sata)) {
        refuse(where,
               "readonly",
               "disks on bus '{}' are written to; use bus 'virtio', 'scsi' or 'usb'",
               name_of(bus));
    }
    if (disk.target.rotation_rate && disk.device != DiskDevice::disk) {
        refuse(
            where, "target", "rotation_rate= is for device='disk', not '{}'", name_of(disk.device));
    }
    if (disk.target.rotation_rate && !scsi_like) {
        refuse(where,
               "target",
               "rotation_rate= is for bus 'ide', 'sata' and 'scsi', not '{}'",
               name_of(bus));
    }
    if (bus == DiskBus::usb && disk.device == DiskDevice::floppy) {
        refuse(where, "target", "floppy drives are on bus 'fdc'");
    }
}

void check_address(const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    const bool none = std::holds_alternative<std::monostate>(disk.info.address);
    const bool mmio = std::holds_alternative<VirtioMmioAddress>(disk.info.address);
    switch (*disk.target.bus) {
    case DiskBus::virtio:
        if (!none && !mmio && disk.info.pci() == nullptr) {
            refuse(where, "address", "disks on bus 'virtio' have type='pci'");
        }
        break;
    case DiskBus::usb:
        if (!none && disk.info.usb() == nullptr) {
            refuse(where, "address", "disks on bus 'usb' have type='usb'");
        }
        break;
    default:
        break;
    }
}

/// Numbers that the controller has no place for. Source: libvirt's addresses of type 'drive'.
void check_place(const DomainDef& def, const DiskDef& disk) {
    const DriveAddress* at = disk.info.drive();
    if (at == nullptr) {
        return;
    }
    const auto must_be_0 = [&](std::string_view of, uint32_t value) {
        if (value != 0) {
            refuse(disk.info.where,
                   "address",
                   "{0}='{1}': on bus '{2}' there is {0} 0 alone",
                   of,
                   value,
                   name_of(*disk.target.bus));
        }
    };
    const DiskBus bus = *disk.target.bus;
    const ControllerDef* c = find_controller(def, ControllerType::scsi, at->controller);
    const bool lsi = c != nullptr && c->model_as<ScsiModel>() == ScsiModel::lsilogic;
    if (bus == DiskBus::fdc || bus == DiskBus::ide) {
        must_be_0("controller", at->controller);
    }
    if (bus == DiskBus::fdc || bus == DiskBus::sata || bus == DiskBus::scsi) {
        must_be_0("bus", at->bus);
    }
    if (bus == DiskBus::fdc || bus == DiskBus::sata || bus == DiskBus::ide ||
        (bus == DiskBus::scsi && lsi)) {
        must_be_0("target", at->target);
    }
}

void check_driver(const DomainDef& def, const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    const DiskDriver& driver = disk.driver;
    if (driver.name && *driver.name != "qemu") {
        refuse(where, "driver", "name='{}' is not supported, 'qemu' is", *driver.name);
    }
    if (driver.copy_on_read == OnOff::on && disk.readonly) {
        refuse(where, "driver", "copy_on_read='on' cannot write to a disk that is <readonly/>");
    }
    if (driver.copy_on_read == OnOff::on && disk.device != DiskDevice::disk) {
        refuse(
            where, "driver", "copy_on_read= is for device='disk', not '{}'", name_of(disk.device));
    }
    if (driver.iothread) {
        if (*disk.target.bus != DiskBus::virtio) {
            refuse(where,
                   "driver",
                   "iothread= is for bus 'virtio', not '{}'; a SCSI disk runs in its controller's",
                   name_of(*disk.target.bus));
        }
        const bool there = std::ranges::any_of(
            def.iothreads, [&](const IothreadDef& t) { return t.id == *driver.iothread; });
        if (!there) {
            refuse(where,
                   "driver",
                   "iothread='{}' is not there; add it to <iothreadids> or raise <iothreads>",
                   *driver.iothread);
        }
    }
    if (driver.queues == 0U) {
        refuse(where, "driver", "queues='0': there is at least one");
    }
    const DiskCache cache = driver.cache.value_or(DiskCache::default_);
    if (driver.io == DiskIo::native && cache != DiskCache::none && cache != DiskCache::directsync) {
        refuse(where,
               "driver",
               "io='native' needs cache='none' or 'directsync', not '{}'",
               name_of(cache));
    }
}

void check_sharing(const DiskDef& disk) {
    const DiskFormat format = disk.image.format.value_or(DiskFormat::raw);
    if (disk.shareable && !disk.readonly && format != DiskFormat::raw &&
        format != DiskFormat::none && format != DiskFormat::luks) {
        refuse(disk.info.where,
               "shareable",
               "an image of type='{}' can have one guest that writes; 'raw' can have several",
               name_of(format));
    }
}

/// What is written goes to an overlay of the image, which is a file beside it.
void check_transient(const DiskDef& disk) {
    if (!disk.transient) {
        return;
    }
    const xml::Where where = disk.info.where;
    if (disk.readonly) {
        refuse(where, "transient", "nothing is written to a disk that is <readonly/>");
    }
    if (disk.image.is_empty() || disk.image.type() != DiskType::file) {
        refuse(where,
               "transient",
               "it is for disks of type='file', not '{}'",
               name_of(disk.image.type()));
    }
    if (disk.device != DiskDevice::disk) {
        refuse(where, "transient", "it is for device='disk', not '{}'", name_of(disk.device));
    }
    const DiskBus bus = *disk.target.bus;
    const bool plugs = bus == DiskBus::virtio || bus == DiskBus::scsi || bus == DiskBus::usb;
    if (disk.transient->share_backing == YesNo::yes && !plugs) {
        refuse(where,
               "transient",
               "shareBacking='yes' needs a bus that disks are plugged into: 'virtio', 'scsi' or "
               "'usb', not '{}'",
               name_of(bus));
    }
}

void check_sizes(const DiskDef& disk) {
    if (!disk.blockio) {
        return;
    }
    for (const auto& [name, size] :
         {std::pair("logical_block_size", disk.blockio->logical_block_size),
          std::pair("physical_block_size", disk.blockio->physical_block_size)}) {
        if (size.value_or(512) != 0 && !std::has_single_bit(size.value_or(512))) {
            refuse(disk.info.where, "blockio", "{}='{}' is not a power of two", name, *size);
        }
    }
}

void check_geometry(const DiskDef& disk) {
    if (!disk.geometry || disk.geometry->cylinders == 0 || disk.geometry->heads == 0 ||
        disk.geometry->sectors == 0) {
        return;
    }
    const DiskBus bus = *disk.target.bus;
    if (bus == DiskBus::usb || bus == DiskBus::sd) {
        refuse(disk.info.where, "geometry", "disks on bus '{}' have none", name_of(bus));
    }
    const auto translation = disk.geometry->translation.value_or(GeometryTranslation::default_);
    if (translation != GeometryTranslation::default_ && bus != DiskBus::ide) {
        refuse(disk.info.where,
               "geometry",
               "trans='{}' is for bus 'ide', not '{}'",
               name_of(translation),
               name_of(bus));
    }
}

/// Disks of one group share its limits, so they say the same.
void check_iotune(const DomainDef& def, const DiskDef& disk) {
    if (!disk.iotune) {
        return;
    }
    const xml::Where where = disk.info.where;
    constexpr uint64_t most = 1000000000000000; // THROTTLE_VALUE_MAX of QEMU
    bool any = false;
    for (const auto& limit : limits_of(*disk.iotune)) {
        any |= limit.value_or(0) != 0;
        if (limit.value_or(0) > most) {
            refuse(where, "iotune", "{} is more than {}, QEMU's highest limit", *limit, most);
        }
    }
    if (disk.target.bus == DiskBus::sd && any) {
        refuse(where, "iotune", "disks on bus 'sd' cannot be throttled");
    }
    if (!disk.iotune->group_name) {
        return;
    }
    if (!any) {
        refuse(where, "iotune", "group_name needs limits that the group shares");
    }
    for (const DiskDef& other : def.devices.disks) {
        if (other.iotune && other.iotune->group_name == disk.iotune->group_name &&
            !same_limits(*other.iotune, *disk.iotune)) {
            refuse(where,
                   "iotune",
                   "disks '{}' and '{}' of group '{}' have different limits",
                   other.target.dev,
                   disk.target.dev,
                   *disk.iotune->group_name);
        }
    }
}

} // namespace

void validate_qemu_disks(const DomainDef& def) {
    check_each(def.devices.disks, [&](const DiskDef& disk) {
        check_device(disk);
        check_address(disk);
        check_place(def, disk);
        check_driver(def, disk);
        validate_qemu_images(disk);
        if (disk.image.type() == DiskType::vhostuser) {
            require_shared_memory(def, disk.info.where, "disk", "type='vhostuser'");
        }
        check_sharing(disk);
        check_transient(disk);
        check_sizes(disk);
        check_geometry(disk);
        check_iotune(def, disk);
    });
}

} // namespace vireo::qemu
