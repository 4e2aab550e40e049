// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/guest_devices.hpp"

#include <string>
#include <vector>

/// The PCI functions of the host that a guest is given, whatever element asks for them.
namespace vireo::qemu {

struct HostFunction {
    PciAddress address;
    /// The daemon takes it from the host and gives it back; otherwise an administrator has done so.
    bool managed{};
    /// Of a disk: QEMU's own NVMe driver has it and opens the IOMMU group for itself. 0: a device
    /// of the guest's (vfio-pci).
    uint32_t namespace_id{};
    /// `disk 'vda'`, `hostdev`: for messages.
    std::string element;
    xml::Where where;

    bool nvme() const noexcept { return namespace_id != 0; }
};

/// `0000:01:00.0`, as the kernel and QEMU write it.
std::string format_function(const PciAddress& address);
/// `pci_0000_01_00_0`, its name as a node device.
std::string node_device_name(const PciAddress& address);

/// Those of all images of a disk: its chain and what it is copied to.
std::vector<HostFunction> host_functions(const DiskDef& disk);
/// Disks first, then `<hostdev>`, then `<interface type='hostdev'>`; each in the document's order.
std::vector<HostFunction> host_functions(const DomainDef& def);
/// Those of one device; none of most kinds.
std::vector<HostFunction> host_functions(const Device& device);

} // namespace vireo::qemu
