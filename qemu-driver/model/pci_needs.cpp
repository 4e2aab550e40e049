// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/pci_needs.hpp"

namespace vireo::qemu {

namespace {

std::optional<VirtioModel> virtio_of(std::optional<DiskModel> model) {
    if (!model) {
        return std::nullopt;
    }
    return static_cast<VirtioModel>(*model);
}

/// `virtio-transitional` among an enumeration's words, which most devices spell alike.
template <class E>
std::optional<VirtioModel> virtio_by_name(E model) {
    return xml::enum_of<VirtioModel>(name_of(model));
}

} // namespace

PciNeed PciNeeds::of(const DiskDef& disk) const {
    return disk.target.bus == DiskBus::virtio ? virtio(virtio_of(disk.model)) : PciNeed{};
}

PciNeed PciNeeds::of(const InterfaceDef& interface) const {
    if (interface.type() == InterfaceType::hostdev || !interface.model) {
        return pcie(); // what it will be is a device of the host
    }
    const std::string& model = *interface.model;
    if (model == "usb-net") {
        return {};
    }
    if (model == "virtio" || model == "virtio-non-transitional" || model == "e1000e") {
        return pcie();
    }
    return pci();
}

PciNeed PciNeeds::of(const SoundDef& sound) const {
    switch (sound.model) {
    case SoundModel::es1370:
    case SoundModel::ac97:
    case SoundModel::ich6:
    case SoundModel::ich9:
        return pci();
    default:
        return {};
    }
}

PciNeed PciNeeds::of(const HostdevDef& hostdev) const {
    switch (hostdev.type()) {
    case HostdevType::pci:
        return pcie();
    case HostdevType::mdev:
        return std::get<MdevHostdev>(hostdev.source).model == MdevModel::vfio_pci ? pcie()
                                                                                  : PciNeed{};
    case HostdevType::scsi_host:
        return virtio(std::get<ScsiVhostHostdev>(hostdev.source).model);
    default:
        return {};
    }
}

PciNeed PciNeeds::of(const FilesystemDef& filesystem) const {
    return virtio(filesystem.model);
}

PciNeed PciNeeds::of(const ControllerDef& controller) const {
    switch (controller.type) {
    case ControllerType::pci: {
        const auto model = controller.model_as<PciModel>();
        return model ? need_of(*model) : PciNeed{};
    }
    case ControllerType::sata:
    case ControllerType::ide:
        return pci();
    case ControllerType::usb:
        switch (controller.model_as<UsbModel>().value_or(UsbModel::piix3_uhci)) {
        case UsbModel::nec_xhci:
        case UsbModel::qemu_xhci:
            return pcie();
        case UsbModel::qusb1:
        case UsbModel::qusb2:
        case UsbModel::none:
            return {};
        default:
            return pci();
        }
    case ControllerType::scsi: {
        const auto model = controller.model_as<ScsiModel>();
        if (!model || model == ScsiModel::ncr53c90) {
            return {};
        }
        return model == ScsiModel::virtio_scsi || model == ScsiModel::virtio_non_transitional
                   ? pcie()
                   : pci();
    }
    case ControllerType::virtio_serial:
        return virtio(controller.model_as<VirtioModel>());
    default:
        return {};
    }
}

PciNeed PciNeeds::of(const SerialDef& serial) const {
    return serial.target_type == SerialTargetType::pci_serial ? pci() : PciNeed{};
}

PciNeed PciNeeds::of(const InputDef& input) const {
    return input.bus == InputBus::virtio ? virtio(input.model) : PciNeed{};
}

PciNeed PciNeeds::of(const VideoDef& video) const {
    switch (video.model.value_or(VideoModel::none)) {
    case VideoModel::virtio:
    case VideoModel::bochs:
        return pcie();
    case VideoModel::vga:
    case VideoModel::cirrus:
    case VideoModel::vmvga:
    case VideoModel::qxl:
        return pci();
    default:
        return {};
    }
}

PciNeed PciNeeds::of(const WatchdogDef& watchdog) const {
    return watchdog.model == WatchdogModel::i6300esb ? pci() : PciNeed{};
}

PciNeed PciNeeds::of(const MemballoonDef& balloon) const {
    const auto model = virtio_by_name(balloon.model);
    return model ? virtio(model) : PciNeed{};
}

PciNeed PciNeeds::of(const RngDef& rng) const {
    return virtio(rng.model);
}

PciNeed PciNeeds::of(const ShmemDef&) const {
    return pci();
}

PciNeed PciNeeds::of(const MemoryDeviceDef& memory) const {
    return memory.model == MemoryDeviceModel::virtio_pmem ||
                   memory.model == MemoryDeviceModel::virtio_mem
               ? pcie()
               : PciNeed{};
}

PciNeed PciNeeds::of(const IommuDef& iommu) const {
    if (iommu.model != IommuModel::virtio) {
        return {};
    }
    PciNeed need = pcie();
    need.integrated = true;
    return need;
}

PciNeed PciNeeds::of(const VsockDef& vsock) const {
    return virtio(vsock.model);
}

PciNeed PciNeeds::of(const CryptoDef&) const {
    return pci();
}

} // namespace vireo::qemu
