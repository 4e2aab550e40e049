// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>
#include <vector>

/// A PCI device leaves its host driver for a holder, and comes back. Each step is in the journal
/// before it is done, so that a daemon that was killed finds what to finish.
namespace vireo::nodedev::actions {

inline constexpr const char* vfio_driver = "vfio-pci";

/// The kernel driver that a caller names: libvirt's words `` and `vfio` mean vfio-pci, and a driver
/// of a vendor's own has vfio in its name. Throws argument_unsupported for what is none.
std::string checked_driver(const std::string& name);

/// Takes the device `name` from the host and gives it to the kernel driver `wanted`, for `holder`
/// (empty: an administrator). One that this holder has is left as it is, but for
/// the process. Throws resource_busy while
/// the host or another holder uses it, operation_invalid where it cannot be given to a guest: no
/// IOMMU, or, for a holder with a name, another member of its group still with the host. A step
/// that fails is undone. The lease ends with the process `process` where that is not 0; throws
/// invalid_arg where there is none. `beside`: devices that the holder takes together with this one.
Task<void> take_device(Driver& driver,
                       std::string name,
                       std::string holder,
                       std::string wanted,
                       uint32_t process = 0,
                       std::vector<std::string> beside = {});

/// Gives it back to its host driver. No lease is no error. Throws resource_busy where another
/// holder has it, or a process still has its IOMMU group open.
Task<void> release_device(Driver& driver, std::string name, std::string holder);

/// Libvirt's ReAttach: releases an administrator's lease; a device that somebody else bound to a
/// VFIO driver is given to the driver that the kernel finds for it.
Task<void> reattach_device(Driver& driver, std::string name);

/// Resets a device that no guest and nothing of the host uses.
Task<void> reset_device(Driver& driver, std::string name);

/// The function at `path` has been unplugged: who had it has it no longer, and what comes to its
/// place is another device. One that changes hands just then fails by itself.
void forget_device(Driver& driver, const std::string& path);

/// Finishes what the journal says was under way when the last daemon ended, and ends the leases
/// whose processes have ended since.
Task<void> recover_leases(Driver& driver);

} // namespace vireo::nodedev::actions
