// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/pci_buses.hpp"

/// What each device of a guest needs of a PCI slot. Source: QEMU's docs/pcie.txt, libvirt's
/// documentation of PCI topologies (conventional devices, Express devices, virtio as either).
namespace vireo::qemu {

/// Express devices fit a guest with a PCI Express root into its ports; elsewhere all devices are
/// conventional ones.
struct PciNeeds {
    bool express{};

    PciNeed pci() const { return {.plugs = plug_pci_device, .autoassign = true}; }

    PciNeed pcie() const {
        return {.plugs = express ? plug_pcie_device : plug_pci_device, .autoassign = true};
    }

    /// virtio is Express where it can be; a transitional device needs a conventional slot.
    PciNeed virtio(std::optional<VirtioModel> model) const {
        return model == VirtioModel::virtio_transitional ? pci() : pcie();
    }

    PciNeed of(const DiskDef& disk) const;
    PciNeed of(const InterfaceDef& interface) const;
    PciNeed of(const SoundDef& sound) const;
    PciNeed of(const HostdevDef& hostdev) const;
    PciNeed of(const FilesystemDef& filesystem) const;
    PciNeed of(const ControllerDef& controller) const;
    PciNeed of(const SerialDef& serial) const;
    PciNeed of(const InputDef& input) const;
    PciNeed of(const VideoDef& video) const;
    PciNeed of(const WatchdogDef& watchdog) const;
    PciNeed of(const MemballoonDef& balloon) const;
    PciNeed of(const RngDef& rng) const;
    PciNeed of(const ShmemDef& shmem) const;
    PciNeed of(const MemoryDeviceDef& memory) const;
    PciNeed of(const IommuDef& iommu) const;
    PciNeed of(const VsockDef& vsock) const;
    PciNeed of(const CryptoDef& crypto) const;

    /// Parallel ports, channels, consoles, hubs, TPMs and the like never are on PCI.
    template <class D>
    PciNeed of(const D&) const {
        return {};
    }
};

} // namespace vireo::qemu
