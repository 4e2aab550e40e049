// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <string>

/// Memory devices of a running guest, in the domain's turn. All throw operation_invalid where it is
/// not running and what QEMU refuses as it says it.
namespace vireo::qemu::actions {

/// Adds the device and gives its alias: made, in the live document, in the status, told of. Nothing
/// of it is left where a step fails. Throws config_unsupported for what cannot work.
Task<std::string> plug_memory(Driver& driver, DomainPtr domain, MemoryDeviceDef memory);

/// Asks the guest to let the device go and waits 5 s at most for it; DeviceRemoved tells when it
/// has where it takes longer. A virtio-mem device is emptied first, within 60 s. Throws
/// operation_failed where the guest keeps it, operation_unsupported for what this QEMU cannot
/// remove.
Task<void> unplug_memory(Driver& driver, DomainPtr domain, std::string alias);

/// Asks the guest to have so much of its virtio-mem device. Throws invalid_arg where it is no
/// multiple of its block or above its size, operation_unsupported for another device.
Task<void>
request_memory(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t requested_kib);

/// QEMU has let go of the device: what stands behind it goes, then it leaves the live document.
/// Throws nothing.
Task<void>
finish_unplug(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias);

/// QEMU's events of unplugging.
void take_device_deleted(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void take_device_kept(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

} // namespace vireo::qemu::actions
