// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

/// What the daemon knows of a running guest's memory devices.
namespace vireo::qemu::actions {

/// The device of a running guest with this alias. Throws operation_invalid where the domain is not
/// running, device_missing where it has no such device.
const MemoryDeviceDef& memory_device(const Domain& domain, const std::string& alias);

/// Asks QEMU for the truth and takes it into the live document: what is plugged and requested,
/// slots, addresses, what the guest has altogether. Tells of what is different. Devices that QEMU
/// does not have any more leave the document. Waits for QEMU as monitor_command() does; a guest
/// without memory devices is asked for its balloon alone, and for nothing while it starts.
Task<void> refresh_memory_devices(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest);

/// QEMU's event: the guest has more or less of a virtio-mem device.
void take_memory_size(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

/// QEMU asks the guest for another amount from now on. Clients are told a moment later, of many
/// changes at once: nobody's answer waits for signals.
void take_requested_size(Driver& driver,
                         const DomainPtr& domain,
                         const std::string& alias,
                         std::uint64_t requested_kib);

/// The objects of a guest that has started, and of one that is about to be inactive.
void announce_memory_devices(Driver& driver, const Domain& domain);
void retire_memory_devices(Driver& driver, const Domain& domain);

} // namespace vireo::qemu::actions
