// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/iommu_group.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>
#include <vector>

/// What must be true before a PCI device changes hands.
namespace vireo::nodedev::actions {

struct PciFunction {
    std::string name;
    /// Below /sys.
    std::string path;
    /// `0000:03:00.0`
    std::string address;
};

/// Throws no_node_device, or operation_invalid where it is no PCI device.
PciFunction pci_function(const Driver& driver, const std::string& name);

/// Throws resource_busy naming each use of the host: mounts, swap, volumes, arrays, processes.
Task<void> check_unused(Driver& driver, PciFunction function);

/// Throws resource_busy where a process (a guest) has the function's IOMMU group open.
Task<void> check_group_closed(Driver& driver, PciFunction function);

/// For a driver that gives the device to a guest: throws operation_invalid without an IOMMU, and,
/// where `whole`, while another member of the group is with a host driver, but for those named
/// `beside`.
void check_group(const Driver& driver,
                 const PciFunction& function,
                 const std::string& wanted,
                 bool whole,
                 const std::vector<std::string>& beside);

/// Throws resource_busy where another holder than `holder` has what goes with the function: a
/// member of its IOMMU group, which the kernel gives to one process as a whole, or a virtual
/// function of it.
void check_neighbours(const Driver& driver, const PciFunction& function, const std::string& holder);

/// Loads the module of a kernel driver that is not there yet; throws operation_failed.
Task<void> need_kernel_driver(Driver& driver, std::string wanted);

/// What driver_override holds; empty where that is nothing.
std::string read_override(const Sysfs& sysfs, const std::string& path);

} // namespace vireo::nodedev::actions
