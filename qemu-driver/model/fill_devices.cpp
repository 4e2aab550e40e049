// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/fill_defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vireo::qemu {

namespace {

std::string new_mac(const HostFacts& facts) {
    std::array<uint8_t, 3> b{};
    facts.random_bytes(b);
    return fmt::format("52:54:00:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2]);
}

/// A name that the daemon gave a tap device; it is another one at the next start.
bool is_generated_name(const std::string& name) {
    for (const std::string_view prefix : {"vnet", "macvtap", "macvlan"}) {
        if (name.starts_with(prefix) && name.size() > prefix.size() &&
            name.find_first_not_of("0123456789", prefix.size()) == std::string::npos) {
            return true;
        }
    }
    return false;
}

void fill_interface(InterfaceDef& interface, const HostFacts& facts, const PassOptions& options) {
    if (!interface.mac) {
        interface.mac = new_mac(facts);
    }
    if (!options.active && interface.target_dev && is_generated_name(*interface.target_dev)) {
        interface.target_dev.reset();
    }
    InterfaceDriver& driver = interface.driver;
    if (driver.queues.value_or(2) <= 1) {
        driver.queues.reset(); // there is always one
    }
    if (!interface.is_virtio() && interface.type() != InterfaceType::hostdev) {
        // Only virtio's packets have these ways to and from the host.
        const VirtioOptions kept = driver.virtio;
        driver = {};
        driver.virtio = kept;
        interface.backend.vhost.reset();
    }
}

/// Ports without a number come after all that have one.
template <class List>
void fill_ports(List& list) {
    uint32_t next = 0;
    for (const auto& port : list) {
        next = port.target_port ? std::max(next, *port.target_port + 1) : next;
    }
    for (auto& port : list) {
        port.target_port = port.target_port ? *port.target_port : next++;
    }
}

void fill_channel(ChannelDef& channel, const PassOptions& options) {
    if (channel.target_type == ChannelTargetType::virtio && !channel.target_name) {
        const ChardevType type = channel.source.type();
        if (type == ChardevType::spicevmc || type == ChardevType::qemu_vdagent) {
            channel.target_name = "com.redhat.spice.0";
        }
    }
    if (!options.active) {
        channel.target_state.reset();
    }
}

void fill_video(VideoDef& video) {
    if (!video.model) {
        return;
    }
    constexpr uint64_t default_vram_kib = 16 * 1024;
    constexpr uint64_t default_qxl_kib = 64 * 1024;
    switch (*video.model) {
    case VideoModel::vga:
    case VideoModel::cirrus:
    case VideoModel::vmvga:
    case VideoModel::bochs:
        video.vram_kib = video.vram_kib.value_or(default_vram_kib);
        break;
    case VideoModel::qxl:
        video.ram_kib = video.ram_kib.value_or(default_qxl_kib);
        video.vram_kib = video.vram_kib.value_or(default_qxl_kib);
        video.vgamem_kib = video.vgamem_kib.value_or(default_vram_kib);
        break;
    default:
        break;
    }
    if (video.model != VideoModel::none && video.model != VideoModel::ramfb) {
        video.heads = video.heads.value_or(1);
    }
}

void fill_videos(Devices& devices) {
    auto& videos = devices.videos;
    const auto primary = std::ranges::find(videos, YesNo::yes, &VideoDef::primary);
    if (primary != videos.end()) {
        std::rotate(videos.begin(), primary, primary + 1);
    } else if (!videos.empty() && videos.front().model != VideoModel::none) {
        videos.front().primary = YesNo::yes;
    }
    for (VideoDef& video : videos) {
        fill_video(video);
        if (video.primary == YesNo::no) {
            video.primary.reset();
        }
    }
}

void fill_input(InputDef& input) {
    if (input.bus || input.type == InputType::evdev) {
        return;
    }
    switch (input.type) {
    case InputType::mouse:
    case InputType::keyboard:
        input.bus = InputBus::ps2;
        break;
    case InputType::passthrough:
        input.bus = InputBus::virtio;
        break;
    default:
        input.bus = InputBus::usb;
        break;
    }
}

/// -1 is as good as nothing said.
void fill_rule(RedirfilterRule& rule) {
    for (std::optional<int32_t>* id : {&rule.usb_class, &rule.vendor, &rule.product}) {
        if (*id == -1) {
            id->reset();
        }
    }
    if (rule.version == "-1") {
        rule.version.reset();
    }
}

/// Disks stand sorted by name within a bus.
void sort_disks(Devices& devices) {
    std::vector<DiskDef> sorted;
    for (DiskDef& disk : devices.disks) {
        std::optional<std::size_t> at;
        for (std::size_t i = sorted.size(); i-- > 0;) {
            if (sorted[i].target.bus != disk.target.bus) {
                continue;
            }
            if (disk_index(sorted[i].target.dev) > disk_index(disk.target.dev)) {
                at = i;
            } else if (!at) {
                at = i + 1;
            }
        }
        sorted.insert(sorted.begin() + static_cast<std::ptrdiff_t>(at.value_or(sorted.size())),
                      std::move(disk));
    }
    devices.disks = std::move(sorted);
}

} // namespace

void fill_devices(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    Devices& devices = def.devices;
    for (DiskDef& disk : devices.disks) {
        fill_disk(disk, def);
    }
    sort_disks(devices);
    for (InterfaceDef& interface : devices.interfaces) {
        fill_interface(interface, facts, options);
    }
    fill_ports(devices.serials);
    fill_ports(devices.parallels);
    for (ChannelDef& channel : devices.channels) {
        fill_channel(channel, options);
    }
    for (GraphicsDef& graphics : devices.graphics) {
        fill_graphics(graphics);
    }
    fill_videos(devices);
    for (InputDef& input : devices.inputs) {
        fill_input(input);
    }
    if (devices.redirfilter) {
        for (RedirfilterRule& rule : devices.redirfilter->rules) {
            fill_rule(rule);
        }
    }
    for (LeaseDef& lease : devices.leases) {
        if (lease.offset_bytes == 0U) {
            lease.offset_bytes.reset();
        }
    }
    for (FilesystemDef& filesystem : devices.filesystems) {
        if (!filesystem.access_mode) {
            filesystem.access_mode = FilesystemAccess::passthrough;
        }
    }
    for (HostdevDef& hostdev : devices.hostdevs) {
        hostdev.managed = hostdev.managed.value_or(YesNo::no);
        auto* scsi = std::get_if<ScsiHostdev>(&hostdev.source);
        if (scsi != nullptr && scsi->name && scsi->name->find('/') == std::string::npos) {
            *scsi->name += "/0"; // the first unit
        }
    }
    for (WatchdogDef& watchdog : devices.watchdogs) {
        watchdog.action = watchdog.action.value_or(WatchdogAction::reset);
    }
}

} // namespace vireo::qemu
