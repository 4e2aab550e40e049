// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/problem.hpp"

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
    if (!interface.model) {
        const InterfaceType type = interface.type();
        if (type == InterfaceType::vhostuser || type == InterfaceType::vdpa) {
            interface.model = "virtio";
        } else if (type != InterfaceType::hostdev) {
            interface.model = facts.qemu->has_type("rtl8139")          ? "rtl8139"
                              : facts.qemu->has_type("e1000")          ? "e1000"
                              : facts.qemu->has_type("virtio-net-pci") ? "virtio"
                                                                       : "rtl8139";
        }
    }
    if (!options.active && interface.target_dev && is_generated_name(*interface.target_dev)) {
        interface.target_dev.reset();
    }
}

void fill_controller(ControllerDef& c, const HostFacts& facts) {
    if (c.type == ControllerType::usb && std::holds_alternative<std::monostate>(c.model)) {
        if (facts.qemu->has_type("piix3-usb-uhci")) {
            c.model = UsbModel::piix3_uhci;
        } else if (facts.qemu->has_type("pci-ohci")) {
            c.model = UsbModel::pci_ohci;
        }
    }
    if (c.model_as<UsbModel>() == UsbModel::none) {
        c.info.address = std::monostate{};
    }
    const auto scsi = c.model_as<ScsiModel>();
    if (c.type == ControllerType::scsi && (!scsi || scsi == ScsiModel::auto_)) {
        if (!facts.qemu->has_type("lsi") && !facts.qemu->has_type("virtio-scsi-pci")) {
            refuse(c.info.where, "controller", "name a model: this QEMU has no default for SCSI");
        }
        c.model = facts.qemu->has_type("lsi") ? ScsiModel::lsilogic : ScsiModel::virtio_scsi;
    }
}

void fill_serials(Devices& devices) {
    uint32_t next = 0;
    for (SerialDef& serial : devices.serials) {
        serial.target_port = serial.target_port.value_or(next);
        next = std::max(next, *serial.target_port + 1);
        serial.target_type = serial.target_type.value_or(SerialTargetType::isa_serial);
        if (!serial.target_model) {
            serial.target_model = static_cast<SerialTargetModel>(*serial.target_type);
        }
    }
    next = 0;
    for (ParallelDef& parallel : devices.parallels) {
        parallel.target_port = parallel.target_port.value_or(next);
        next = std::max(next, *parallel.target_port + 1);
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
    if (auto* socket = std::get_if<UnixChardev>(&channel.source.backend)) {
        if (!socket->path) {
            socket->mode = SocketMode::bind; // the daemon's own socket
        }
    }
}

void fill_video(VideoDef& video, const HostFacts& facts) {
    if (!video.model) {
        video.model = facts.qemu->has_type("cirrus-vga") ? VideoModel::cirrus : VideoModel::vga;
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

void fill_videos(Devices& devices, const HostFacts& facts) {
    auto& videos = devices.videos;
    const auto primary = std::ranges::find(videos, YesNo::yes, &VideoDef::primary);
    if (primary != videos.end()) {
        std::rotate(videos.begin(), primary, primary + 1);
    } else if (!videos.empty() && videos.front().model != VideoModel::none) {
        videos.front().primary = YesNo::yes;
    }
    for (VideoDef& video : videos) {
        fill_video(video, facts);
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

void fill_tpm(TpmDef& tpm) {
    tpm.model = tpm.model.value_or(TpmModel::tpm_tis);
    if (auto* emulator = std::get_if<EmulatorTpm>(&tpm.backend); emulator && !emulator->version) {
        emulator->version = tpm.model == TpmModel::tpm_tis ? TpmVersion::v1_2 : TpmVersion::v2_0;
    } else if (auto* host = std::get_if<PassthroughTpm>(&tpm.backend); host && !host->path) {
        host->path = "/dev/tpm0";
    }
}

void fill_shmem(ShmemDef& shmem) {
    if (!shmem.model) {
        shmem.model = ShmemModel::ivshmem_plain;
        if (shmem.server) {
            shmem.model = ShmemModel::ivshmem_doorbell;
        }
    }
    if (shmem.model != ShmemModel::ivshmem_doorbell && !shmem.size_mib) {
        shmem.size_mib = 4;
    }
    if (shmem.server && shmem.model == ShmemModel::ivshmem_doorbell) {
        if (!shmem.msi) {
            shmem.msi.emplace();
        }
        shmem.msi->enabled.reset();
        shmem.msi->ioeventfd = shmem.msi->ioeventfd.value_or(OnOff::on);
    }
}

void fill_rng(RngDef& rng) {
    if (auto* random = std::get_if<RandomBackend>(&rng.backend); random && !random->path) {
        random->path = "/dev/urandom";
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
    for (ControllerDef& controller : devices.controllers) {
        fill_controller(controller, facts);
    }
    fill_serials(devices);
    for (ChannelDef& channel : devices.channels) {
        fill_channel(channel, options);
    }
    for (GraphicsDef& graphics : devices.graphics) {
        fill_graphics(graphics, facts);
    }
    if (!devices.graphics.empty() && devices.videos.empty()) {
        devices.videos.emplace_back();
    }
    fill_videos(devices, facts);
    for (InputDef& input : devices.inputs) {
        fill_input(input);
    }
    for (TpmDef& tpm : devices.tpms) {
        fill_tpm(tpm);
    }
    for (ShmemDef& shmem : devices.shmems) {
        fill_shmem(shmem);
    }
    for (RngDef& rng : devices.rngs) {
        fill_rng(rng);
    }
    for (PanicDef& panic : devices.panics) {
        panic.model = panic.model.value_or(PanicModel::isa);
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
        auto* mdev = std::get_if<MdevHostdev>(&hostdev.source);
        if (mdev != nullptr && mdev->model == MdevModel::vfio_pci && !mdev->display) {
            mdev->display = OnOff::off;
        }
    }
    for (WatchdogDef& watchdog : devices.watchdogs) {
        watchdog.action = watchdog.action.value_or(WatchdogAction::reset);
    }
    if (devices.vsock && !devices.vsock->model) {
        devices.vsock->model = VirtioModel::virtio;
    }
}

} // namespace vireo::qemu
