// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/problem.hpp"

namespace vireo::qemu {

namespace {

/// The network device that guests of old know.
std::string default_interface_model(const InterfaceDef& interface, const QemuCapabilities& qemu) {
    const InterfaceType type = interface.type();
    if (type == InterfaceType::vhostuser || type == InterfaceType::vdpa) {
        return "virtio";
    }
    return qemu.has_type("rtl8139")          ? "rtl8139"
           : qemu.has_type("e1000")          ? "e1000"
           : qemu.has_type("virtio-net-pci") ? "virtio"
                                             : "rtl8139";
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

void fill_tpm(TpmDef& tpm) {
    tpm.model = tpm.model.value_or(TpmModel::tpm_tis);
    if (auto* emulator = std::get_if<EmulatorTpm>(&tpm.backend); emulator && !emulator->version) {
        emulator->version = tpm.model == TpmModel::tpm_tis ? TpmVersion::v1_2 : TpmVersion::v2_0;
    } else if (auto* host = std::get_if<PassthroughTpm>(&tpm.backend); host && !host->path) {
        host->path = "/dev/tpm0";
    }
}

void fill_shmem(ShmemDef& shmem) {
    // What a document without a model has always meant, though QEMU no longer has it.
    shmem.model = shmem.model.value_or(ShmemModel::ivshmem);
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
        random->path = "/dev/random";
    }
}

void fill_serial(SerialDef& serial) {
    serial.target_type = serial.target_type.value_or(SerialTargetType::isa_serial);
    if (!serial.target_model) {
        serial.target_model = static_cast<SerialTargetModel>(*serial.target_type);
    }
}

void fill_disk_driver(DiskDef& disk) {
    if (!disk.driver.name && disk.image.type() != DiskType::vhostuser) {
        disk.driver.name = "qemu";
    }
    if (!disk.image.format && disk.image.type() != DiskType::volume) {
        disk.image.format = DiskFormat::raw;
    }
    if (disk.mirror) {
        disk.mirror->image.format = disk.mirror->image.format.value_or(DiskFormat::raw);
    }
}

} // namespace

void fill_qemu_devices(DomainDef& def, const HostFacts& facts) {
    Devices& devices = def.devices;
    for (DiskDef& disk : devices.disks) {
        fill_disk_driver(disk);
    }
    for (InterfaceDef& interface : devices.interfaces) {
        if (!interface.model && interface.type() != InterfaceType::hostdev) {
            interface.model = default_interface_model(interface, *facts.qemu);
        }
    }
    for (ControllerDef& controller : devices.controllers) {
        fill_controller(controller, facts);
    }
    for (SerialDef& serial : devices.serials) {
        fill_serial(serial);
    }
    for (ChannelDef& channel : devices.channels) {
        auto* socket = std::get_if<UnixChardev>(&channel.source.backend);
        if (socket != nullptr && !socket->path) {
            socket->mode = SocketMode::bind; // the daemon's own socket
        }
    }
    if (!devices.graphics.empty() && devices.videos.empty()) {
        devices.videos.emplace_back();
    }
    for (VideoDef& video : devices.videos) {
        if (!video.model) {
            video.model = facts.qemu->has_type("cirrus-vga") ? VideoModel::cirrus : VideoModel::vga;
        }
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
    for (RedirdevDef& redirdev : devices.redirdevs) {
        auto* dbus = std::get_if<DbusChardev>(&redirdev.source.backend);
        if (dbus != nullptr && !dbus->channel) {
            dbus->channel = "org.qemu.usbredir"; // QEMU's display clients look for that name
        }
    }
    for (PanicDef& panic : devices.panics) {
        panic.model = panic.model.value_or(PanicModel::isa);
    }
    for (HostdevDef& hostdev : devices.hostdevs) {
        auto* mdev = std::get_if<MdevHostdev>(&hostdev.source);
        if (mdev != nullptr && mdev->model == MdevModel::vfio_pci && !mdev->display) {
            mdev->display = OnOff::off;
        }
    }
    if (devices.vsock && !devices.vsock->model) {
        devices.vsock->model = VirtioModel::virtio;
    }
}

} // namespace vireo::qemu
