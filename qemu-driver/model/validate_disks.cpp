// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace vireo::qemu {

namespace {

using Place = std::tuple<DiskBus, uint32_t, uint32_t, uint32_t, uint32_t>;

Place place_of(DiskBus bus, const DriveAddress& at) {
    return {bus, at.controller, at.bus, at.target, at.unit};
}

bool is_printable(const std::string& text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

void check_text(xml::Where where,
                std::string_view element,
                const std::optional<std::string>& text,
                std::size_t longest) {
    if (text && (!is_printable(*text) || text->size() > longest)) {
        refuse(where, element, "'{}' is not up to {} printable ASCII characters", *text, longest);
    }
}

void check_lun(const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    const DiskImage& image = disk.image;
    if (const auto* network = std::get_if<NetworkSource>(&image.source)) {
        if (network->protocol != NetworkProtocol::iscsi) {
            refuse(where,
                   "disk",
                   "device='lun' works over protocol 'iscsi', not '{}'",
                   name_of(network->protocol));
        }
    } else if (image.type() != DiskType::block && image.type() != DiskType::volume) {
        refuse(where,
               "disk",
               "device='lun' needs a block device of the host, not type='{}'",
               name_of(image.type()));
    }
    if (image.format.value_or(DiskFormat::raw) != DiskFormat::raw &&
        image.format != DiskFormat::none) {
        refuse(where, "driver", "device='lun' needs type='raw', not '{}'", name_of(*image.format));
    }
    if (!image.slices.empty()) {
        refuse(where, "slices", "device='lun' cannot be a part of the device");
    }
    if (disk.encryption() != nullptr) {
        refuse(where, "encryption", "device='lun' reaches the device itself: nothing can decrypt");
    }
}

void check_no_lun(const DiskDef& disk) {
    if (disk.image.reservations || disk.rawio || disk.sgio) {
        refuse(disk.info.where,
               disk.image.reservations ? "reservations" : "disk",
               "{} needs device='lun'",
               disk.image.reservations ? "it"
               : disk.rawio            ? "rawio="
                                       : "sgio=");
    }
}

void check_total(const DiskDef& disk,
                 std::string_view of,
                 const std::optional<uint64_t>& total,
                 const std::optional<uint64_t>& read,
                 const std::optional<uint64_t>& write) {
    if (total.value_or(0) != 0 && (read.value_or(0) != 0 || write.value_or(0) != 0)) {
        refuse(disk.info.where,
               "iotune",
               "total_{0} cannot be set together with read_{0} or write_{0}; use either",
               of);
    }
}

void check_burst(const DiskDef& disk,
                 std::string_view name,
                 const std::optional<uint64_t>& base,
                 const std::optional<uint64_t>& burst,
                 const std::optional<uint64_t>& length) {
    if (length.value_or(0) != 0 && burst.value_or(0) == 0) {
        refuse(disk.info.where, "iotune", "{0}_max_length needs {0}_max", name);
    }
    if (burst.value_or(0) != 0 && base.value_or(0) == 0) {
        refuse(disk.info.where, "iotune", "{0}_max needs {0}, the limit that it may exceed", name);
    }
    if (burst.value_or(0) != 0 && *burst < *base) {
        refuse(disk.info.where, "iotune", "{0}_max {1} is below {0} {2}", name, *burst, *base);
    }
}

void check_iotune(const DiskDef& disk, const DiskIotune& t) {
    check_total(disk, "bytes_sec", t.total_bytes_sec, t.read_bytes_sec, t.write_bytes_sec);
    check_total(disk, "iops_sec", t.total_iops_sec, t.read_iops_sec, t.write_iops_sec);
    check_total(
        disk, "bytes_sec_max", t.total_bytes_sec_max, t.read_bytes_sec_max, t.write_bytes_sec_max);
    check_total(
        disk, "iops_sec_max", t.total_iops_sec_max, t.read_iops_sec_max, t.write_iops_sec_max);
}

void check_bursts(const DiskDef& disk, const DiskIotune& t) {
    check_burst(disk,
                "total_bytes_sec",
                t.total_bytes_sec,
                t.total_bytes_sec_max,
                t.total_bytes_sec_max_length);
    check_burst(disk,
                "read_bytes_sec",
                t.read_bytes_sec,
                t.read_bytes_sec_max,
                t.read_bytes_sec_max_length);
    check_burst(disk,
                "write_bytes_sec",
                t.write_bytes_sec,
                t.write_bytes_sec_max,
                t.write_bytes_sec_max_length);
    check_burst(disk,
                "total_iops_sec",
                t.total_iops_sec,
                t.total_iops_sec_max,
                t.total_iops_sec_max_length);
    check_burst(
        disk, "read_iops_sec", t.read_iops_sec, t.read_iops_sec_max, t.read_iops_sec_max_length);
    check_burst(disk,
                "write_iops_sec",
                t.write_iops_sec,
                t.write_iops_sec_max,
                t.write_iops_sec_max_length);
}

void check_target(const DiskDef& disk) {
    const std::string& dev = disk.target.dev;
    const xml::Where where = disk.info.where;
    const bool floppy = disk.device == DiskDevice::floppy;
    const DiskBus bus = *disk.target.bus;
    if (floppy != (bus == DiskBus::fdc)) {
        refuse(where,
               "target",
               "bus='{}': floppy drives are on bus 'fdc', and nothing else is",
               name_of(bus));
    }
    if (floppy && !dev.starts_with("fd")) {
        refuse(where, "target", "dev='{}': names of floppy drives start with fd", dev);
    }
    const bool known = std::ranges::any_of(std::array{"hd", "sd", "vd", "xvd", "ubd"},
                                           [&](const char* p) { return dev.starts_with(p); });
    if ((disk.device == DiskDevice::disk || disk.device == DiskDevice::lun) && !known) {
        refuse(where, "target", "dev='{}': names of disks start with hd, sd, vd, xvd or ubd", dev);
    }
    if (disk.target.tray && !floppy && disk.device != DiskDevice::cdrom) {
        refuse(where, "target", "tray= is for CD-ROM and floppy drives");
    }
    if (disk.target.removable && bus != DiskBus::usb) {
        refuse(where, "target", "removable= is for bus 'usb', not '{}'", name_of(bus));
    }
    const bool on_drive =
        bus == DiskBus::ide || bus == DiskBus::fdc || bus == DiskBus::scsi || bus == DiskBus::sata;
    if (on_drive && disk.info.drive() == nullptr) {
        refuse(where, "address", "disk '{}' on bus '{}' needs type='drive'", dev, name_of(bus));
    }
}

void check_virtio_only(const DiskDef& disk) {
    const DiskDriver& d = disk.driver;
    const VirtioOptions& v = d.virtio;
    const std::string_view what = disk.model      ? "model="
                                  : d.queues      ? "queues="
                                  : d.queue_size  ? "queue_size="
                                  : d.event_idx   ? "event_idx="
                                  : d.ioeventfd   ? "ioeventfd="
                                  : v.iommu       ? "iommu="
                                  : v.ats         ? "ats="
                                  : v.packed      ? "packed="
                                  : v.page_per_vq ? "page_per_vq="
                                                  : "";
    if (*disk.target.bus != DiskBus::virtio && !what.empty()) {
        refuse(disk.info.where,
               disk.model ? "disk" : "driver",
               "{} is for bus 'virtio', not '{}'",
               what,
               name_of(*disk.target.bus));
    }
}

void check_vhostuser(const DiskDef& disk) {
    const DiskDriver& d = disk.driver;
    if (*disk.target.bus != DiskBus::virtio) {
        refuse(disk.info.where, "target", "type='vhostuser' needs bus='virtio'");
    }
    if (disk.snapshot.value_or(SnapshotMode::no) != SnapshotMode::no) {
        refuse(disk.info.where, "disk", "type='vhostuser' can only have snapshot='no'");
    }
    const std::string_view what = d.cache                             ? "cache="
                                  : d.error_policy || d.rerror_policy ? "error_policy="
                                  : d.io                              ? "io="
                                  : d.ioeventfd                       ? "ioeventfd="
                                  : d.copy_on_read                    ? "copy_on_read="
                                  : d.discard                         ? "discard="
                                  : d.iothread                        ? "iothread="
                                  : d.detect_zeroes                   ? "detect_zeroes="
                                  : disk.image.metadata_cache_bytes   ? "<metadata_cache>"
                                  : disk.iotune                       ? "<iotune>"
                                  : disk.image.base() != nullptr      ? "<backingStore>"
                                  : disk.encryption() != nullptr      ? "<encryption>"
                                  : disk.readonly                     ? "<readonly/>"
                                  : disk.shareable                    ? "<shareable/>"
                                  : disk.transient                    ? "<transient/>"
                                  : disk.serial                       ? "<serial>"
                                  : disk.wwn                          ? "<wwn>"
                                  : disk.vendor                       ? "<vendor>"
                                  : disk.product                      ? "<product>"
                                  : disk.auth() != nullptr            ? "<auth>"
                                  : disk.geometry                     ? "<geometry>"
                                  : disk.blockio                      ? "<blockio>"
                                                                      : "";
    if (!what.empty()) {
        refuse(disk.info.where,
               "disk",
               "type='vhostuser' has no {}: whoever serves the socket decides that",
               what);
    }
}

void check_startup_policy(const DiskDef& disk) {
    const auto policy = disk.image.startup_policy;
    if (!policy) {
        return;
    }
    if (disk.image.type() == DiskType::network || disk.image.type() == DiskType::vhostuser) {
        refuse(disk.info.where,
               "source",
               "startupPolicy= is for what lies on this host, not type='{}'",
               name_of(disk.image.type()));
    }
    if (policy == StartupPolicy::requisite && disk.device != DiskDevice::cdrom &&
        disk.device != DiskDevice::floppy) {
        refuse(
            disk.info.where, "source", "startupPolicy='requisite' is for CD-ROM and floppy drives");
    }
}

void check_wwn(const DiskDef& disk) {
    if (!disk.wwn) {
        return;
    }
    const std::string digits = disk.wwn->starts_with("0x") ? disk.wwn->substr(2) : *disk.wwn;
    constexpr std::size_t length = 16;
    if (digits.size() != length ||
        digits.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
        refuse(disk.info.where, "wwn", "'{}' is not {} hexadecimal digits", *disk.wwn, length);
    }
}

void check_disk(const DiskDef& disk) {
    const xml::Where where = disk.info.where;
    if (disk.image.is_empty() && disk.device == DiskDevice::disk) {
        refuse(where,
               "disk",
               "'{}' has no <source>; only CD-ROM and floppy drives can be empty",
               disk.target.dev);
    }
    check_target(disk);
    if (disk.sgio == SgioPolicy::unfiltered) {
        refuse(where, "disk", "sgio='unfiltered' no longer exists in Linux; remove it");
    }
    if (disk.device == DiskDevice::lun) {
        check_lun(disk);
    } else {
        check_no_lun(disk);
    }
    if (disk.iotune) {
        check_iotune(disk, *disk.iotune);
        check_bursts(disk, *disk.iotune);
    }
    check_virtio_only(disk);
    if (disk.image.type() == DiskType::vhostuser) {
        check_vhostuser(disk);
    }
    check_startup_policy(disk);
    constexpr std::size_t vendor_length = 8, product_length = 16; // SCSI inquiry data
    check_text(where, "vendor", disk.vendor, vendor_length);
    check_text(where, "product", disk.product, product_length);
    check_wwn(disk);
}

} // namespace

void validate_disks(const DomainDef& def) {
    std::set<std::string> names;
    std::set<Place> places;
    check_each(def.devices.disks, [&](const DiskDef& disk) {
        check_disk(disk);
        if (!names.insert(disk.target.dev).second) {
            refuse(disk.info.where, "target", "dev='{}' is used twice", disk.target.dev);
        }
        const DriveAddress* at = disk.info.drive();
        if (at != nullptr && !places.insert(place_of(*disk.target.bus, *at)).second) {
            refuse(disk.info.where,
                   "address",
                   "controller {}, bus {}, target {}, unit {} is used twice",
                   at->controller,
                   at->bus,
                   at->target,
                   at->unit);
        }
    });
    for (const HostdevDef& hostdev : def.devices.hostdevs) {
        const DriveAddress* at = hostdev.info.drive();
        if (hostdev.type() == HostdevType::scsi && at != nullptr &&
            !places.insert(place_of(DiskBus::scsi, *at)).second) {
            refuse(hostdev.info.where,
                   "address",
                   "controller {}, bus {}, target {}, unit {} has another SCSI device",
                   at->controller,
                   at->bus,
                   at->target,
                   at->unit);
        }
    }
}

} // namespace vireo::qemu
