// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <map>
#include <string>

/// What the native API asks of a guest's memory. Sizes are bytes.
namespace vireo::qemu::actions {

/// request_memory() for one device, in its turn. Throws invalid_arg for a part of a KiB too.
Task<void>
set_requested_memory(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t bytes);

/// Returns what the guest has of a device: once that is what is requested, or `timeout` later.
/// Throws operation_failed where nothing has moved for 10 s, operation_invalid where the guest is
/// paused or ends.
Task<std::uint64_t>
wait_for_requested(Driver& driver, DomainPtr domain, std::string alias, std::uint64_t timeout_usec);

/// Shares the guest's memory out over its virtio-mem devices and its balloon; gives what each is
/// to have. Throws invalid_arg for more than they can give, config_unsupported where there is
/// nothing that could. What was set before a failure is set back.
Task<std::map<std::string, std::uint64_t>>
set_memory_target(Driver& driver, DomainPtr domain, std::uint64_t bytes);

} // namespace vireo::qemu::actions
