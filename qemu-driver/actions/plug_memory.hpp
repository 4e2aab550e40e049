// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

/// What only memory devices of a running guest have. In the domain's turn; both throw
/// operation_invalid where it is not running and what QEMU refuses as it says it.
namespace vireo::qemu::actions {

/// Before the device is unplugged: a virtio-mem device is emptied, within 60 s. Throws
/// operation_unsupported for what this QEMU cannot remove, operation_failed where the guest does
/// not give its memory back.
Task<void> prepare_memory_unplug(Driver& driver, DomainPtr domain, MemoryDeviceDef memory);

/// After an unplug that came to nothing: what was asked for of a virtio-mem device is asked for
/// again.
Task<void> undo_memory_unplug(Driver& driver, DomainPtr domain, MemoryDeviceDef memory);

/// Asks the guest to have so much of its virtio-mem device. Throws invalid_arg where it is no
/// multiple of its block or above its size, operation_unsupported for another device.
Task<void>
request_memory(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t requested_kib);

} // namespace vireo::qemu::actions
