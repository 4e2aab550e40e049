// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>

/// From one kernel driver to another by driver_override, unbind and drivers_probe; new_id would
/// catch other devices, too. Source: the kernel's Documentation/ABI/testing/sysfs-bus-pci.
namespace vireo::nodedev::actions {

/// Name of the driver that holds the function at `path`; empty where none does.
std::string driver_of(const Sysfs& sysfs, const std::string& path);

/// Writes an attribute off the loop. Throws operation_timeout naming it after the driver's limit.
Task<void> write_attribute(Driver& driver, std::string path, std::string text);

/// Gives the PCI function at `path` to the kernel driver `wanted`, and returns when that holds it.
/// Throws system_error or operation_failed where a step fails, operation_timeout where the kernel
/// does not come back from one: what it does later nobody knows.
Task<void> give_to_driver(Driver& driver, std::string path, std::string wanted);

/// Gives it back to the driver that the lease names; to whichever takes it where `any` is set.
Task<void> give_to_host(Driver& driver, std::string path, Lease lease, bool any);

} // namespace vireo::nodedev::actions
