// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <bit>

namespace vireo::qemu {

namespace {

void check_format(const DiskDef& disk, const DiskImage& image) {
    const xml::Where where = disk.info.where;
    switch (image.format.value_or(DiskFormat::raw)) {
    case DiskFormat::iso:
        refuse(where, "driver", "type='iso' is a raw image; write type='raw'");
    case DiskFormat::dir:
        refuse(where, "driver", "type='dir' is not a format; use <disk type='dir'>");
    case DiskFormat::vhd:
    case DiskFormat::ploop:
    case DiskFormat::cow:
        refuse(where,
               "driver",
               "type='{}' is not a format that QEMU reads; convert the image",
               name_of(*image.format));
    case DiskFormat::fat:
        if (image.type() != DiskType::dir) {
            refuse(where, "driver", "type='fat' shows a folder as a disk; use <disk type='dir'>");
        }
        break;
    default:
        break;
    }
    if (image.type() == DiskType::dir && image.format == DiskFormat::qcow2) {
        refuse(where, "driver", "type='qcow2': a folder is shown as a FAT disk; write type='fat'");
    }
}

void check_encrypted_format(const DiskDef& disk) {
    const DiskFormat format = disk.image.format.value_or(DiskFormat::raw);
    const EncryptionDef* encryption = disk.encryption();
    if (encryption != nullptr && encryption->engine != EncryptionEngine::librbd &&
        format != DiskFormat::raw && format != DiskFormat::qcow2 && format != DiskFormat::luks) {
        refuse(disk.info.where,
               "encryption",
               "images of type='{}' cannot be encrypted; 'raw' and 'qcow2' can",
               name_of(format));
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
    if (disk.device == DiskDevice::lun && (disk.vendor || disk.product)) {
        refuse(where, "vendor", "device='lun' shows the device's own");
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
    if (bus == DiskBus::fdc || (bus == DiskBus::ide && def.os.is_i440fx())) {
        must_be_0("controller", at->controller);
    }
    if (bus == DiskBus::fdc || bus == DiskBus::sata) {
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
    if (driver.cache == DiskCache::unsafe && driver.io == DiskIo::native) {
        refuse(where, "driver", "io='native' needs cache='none' or 'directsync', not 'unsafe'");
    }
}

void check_sharing(const DiskDef& disk) {
    const DiskFormat format = disk.image.format.value_or(DiskFormat::raw);
    if (disk.shareable && format != DiskFormat::raw && format != DiskFormat::none &&
        format != DiskFormat::luks) {
        refuse(disk.info.where,
               "shareable",
               "an image of type='{}' can have one guest that writes; 'raw' can have several",
               name_of(format));
    }
    if (disk.transient && disk.readonly) {
        refuse(disk.info.where, "transient", "nothing is written to a disk that is <readonly/>");
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

} // namespace

void validate_qemu_disks(const DomainDef& def) {
    for (const DiskDef& disk : def.devices.disks) {
        check_device(disk);
        check_address(disk);
        check_place(def, disk);
        check_driver(def, disk);
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            check_format(disk, *image);
        }
        check_encrypted_format(disk);
        check_sharing(disk);
        check_sizes(disk);
    }
}

} // namespace vireo::qemu
