// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>
#include <array>

namespace vireo::qemu {

namespace {

DiskBus default_bus(const DiskDef& disk) {
    if (disk.device == DiskDevice::floppy) {
        return DiskBus::fdc;
    }

    struct Prefix {
        std::string_view text;
        DiskBus bus;
    };

    constexpr std::array<Prefix, 6> prefixes{{{"fd", DiskBus::fdc},
                                              {"hd", DiskBus::ide},
                                              {"sd", DiskBus::scsi},
                                              {"vd", DiskBus::virtio},
                                              {"xvd", DiskBus::xen},
                                              {"ubd", DiskBus::uml}}};
    for (const Prefix& prefix : prefixes) {
        if (disk.target.dev.starts_with(prefix.text)) {
            return prefix.bus;
        }
    }
    refuse(disk.info.where,
           "disk",
           "target '{}' tells no bus; name one in <target bus=>",
           disk.target.dev);
}

/// The place on its bus that goes with the target's name: sda is the first, sdb the second.
std::optional<DriveAddress> default_address(const DiskDef& disk, const DomainDef& def) {
    const auto index = disk_index(disk.target.dev);
    if (!index) {
        refuse(disk.info.where,
               "disk",
               "target '{}' is not a device name like vda or sdb",
               disk.target.dev);
    }
    const uint32_t n = *index;
    switch (*disk.target.bus) {
    case DiskBus::ide:
        return DriveAddress{.controller = n / 4, .bus = n % 4 / 2, .target = 0, .unit = n % 2};
    case DiskBus::sata:
        return DriveAddress{.controller = n / 6, .bus = 0, .target = 0, .unit = n % 6};
    case DiskBus::fdc:
        return DriveAddress{.controller = n / 2, .bus = 0, .target = 0, .unit = n % 2};
    case DiskBus::scsi: {
        DriveAddress at{.controller = n / 7, .bus = 0, .target = 0, .unit = n % 7};
        const auto taken = [&] {
            return std::ranges::any_of(def.devices.hostdevs, [&](const HostdevDef& h) {
                return h.info.drive() != nullptr && *h.info.drive() == at;
            });
        };
        while (taken()) {
            at.unit = (at.unit + 1) % 7;
            at.controller += at.unit == 0 ? 1 : 0;
        }
        return at;
    }
    default:
        return std::nullopt;
    }
}

/// A limit of 0 is none.
void drop_zeros(DiskIotune& t) {
    for (auto* limit : {&t.total_bytes_sec,
                        &t.read_bytes_sec,
                        &t.write_bytes_sec,
                        &t.total_iops_sec,
                        &t.read_iops_sec,
                        &t.write_iops_sec,
                        &t.total_bytes_sec_max,
                        &t.read_bytes_sec_max,
                        &t.write_bytes_sec_max,
                        &t.total_iops_sec_max,
                        &t.read_iops_sec_max,
                        &t.write_iops_sec_max,
                        &t.size_iops_sec,
                        &t.total_bytes_sec_max_length,
                        &t.read_bytes_sec_max_length,
                        &t.write_bytes_sec_max_length,
                        &t.total_iops_sec_max_length,
                        &t.read_iops_sec_max_length,
                        &t.write_iops_sec_max_length}) {
        if (*limit == 0U) {
            limit->reset();
        }
    }
}

void fill_encryption(std::optional<EncryptionDef>& encryption) {
    if (encryption && !encryption->engine && encryption->format != EncryptionFormat::default_) {
        encryption->engine = EncryptionEngine::qemu;
    }
}

/// Ports of the protocols that are addressed by URL.
std::optional<std::string> default_port(NetworkProtocol protocol) {
    switch (protocol) {
    case NetworkProtocol::http:
        return "80";
    case NetworkProtocol::https:
        return "443";
    case NetworkProtocol::ftp:
        return "21";
    case NetworkProtocol::ftps:
        return "990";
    case NetworkProtocol::tftp:
        return "69";
    default:
        return std::nullopt;
    }
}

void fill_image(DiskImage& image) {
    fill_encryption(image.encryption);
    if (auto* network = std::get_if<NetworkSource>(&image.source)) {
        for (SourceHost& host : network->hosts) {
            if (host.transport == HostTransport::tcp) {
                host.transport.reset();
            }
            if (!host.port) {
                host.port = default_port(network->protocol);
            }
        }
    }
    if (image.startup_policy == StartupPolicy::default_) {
        image.startup_policy.reset();
    }
    if (image.backing && !image.backing->is_empty()) {
        fill_image(*image.backing);
        image.backing->format = image.backing->format.value_or(DiskFormat::raw);
    }
}

} // namespace

std::optional<uint32_t> disk_index(std::string_view target) {
    for (const std::string_view prefix : {"xvd", "ubd", "fd", "hd", "vd", "sd"}) {
        if (!target.starts_with(prefix)) {
            continue;
        }
        std::string_view letters = target.substr(prefix.size());
        const std::size_t end =
            std::min(letters.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), letters.size());
        const std::string_view rest = letters.substr(end);
        letters = letters.substr(0, end);
        // Up to four letters are far beyond what any bus has; a partition's number may follow.
        if (letters.empty() || letters.size() > 4 ||
            rest.find_first_not_of("0123456789") != std::string_view::npos) {
            return std::nullopt;
        }
        uint32_t index = 0;
        for (const char c : letters) {
            index = index * 26 + static_cast<uint32_t>(c - 'a' + 1);
        }
        return index - 1;
    }
    return std::nullopt;
}

void fill_disk(DiskDef& disk, const DomainDef& def) {
    if (!disk.target.bus) {
        disk.target.bus = default_bus(disk);
    }
    fill_image(disk.image);
    fill_encryption(disk.outer_encryption);
    if (disk.device == DiskDevice::cdrom) {
        disk.readonly = true;
    }
    if (disk.driver.cache == DiskCache::default_) {
        disk.driver.cache.reset();
    }
    if (disk.driver.error_policy == ErrorPolicy::default_) {
        disk.driver.error_policy.reset();
    }
    if (disk.sgio == SgioPolicy::default_) {
        disk.sgio.reset();
    }
    if (disk.snapshot == SnapshotMode::default_) {
        disk.snapshot.reset();
    }
    if (disk.iotune) {
        drop_zeros(*disk.iotune);
    }
    if (std::holds_alternative<std::monostate>(disk.info.address)) {
        if (const auto at = default_address(disk, def)) {
            disk.info.address = *at;
        }
    }
}

} // namespace vireo::qemu
