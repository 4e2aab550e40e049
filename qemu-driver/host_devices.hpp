// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/obstacles.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// PCI functions of the host between nodedevd, which lends them, and the guests that have them.
namespace vireo::qemu {

/// What /proc says of this process.
LockLimits lock_limits(const Sysfs& host);

/// How much memory QEMU is to be let lock for this guest, in bytes; nothing: as this daemon. See
/// locked_memory_limit().
std::optional<std::uint64_t> memlock_bytes(const DomainDef& def, const Sysfs& host);

/// Lets a running QEMU lock what the guest needs with its devices. Throws system_error where that
/// is not allowed.
void raise_memlock(const DomainDef& def, const Sysfs& host, pid_t process);

/// What stands in the way of the guest `def` to `functions`, which are some or all of its own.
/// Guests with an id below `id` come first. nodedevd is asked where there are any; throws where it
/// does not answer.
Task<std::vector<Obstacle>> find_obstacles(Driver& driver,
                                           std::shared_ptr<const DomainDef> def,
                                           std::vector<HostFunction> functions,
                                           std::uint32_t id);

/// Takes those that are managed from the host for the guest with that UUID, until `process` ends.
/// Takes back what it took where one fails; throws what nodedevd says, with the element.
Task<void> acquire_functions(Driver& driver,
                             std::string uuid,
                             std::vector<HostFunction> functions,
                             std::uint32_t process);

/// Gives those that are managed back to the host and returns when that has them. What fails is
/// logged: nodedevd tries on its own when the process ends, and when it is started again.
Task<void> release_functions(Driver& driver, std::string uuid, std::vector<HostFunction> functions);

/// Those of `functions` that the guest `def` has no more.
std::vector<HostFunction> no_longer_used(const DomainDef& def,
                                         const std::vector<HostFunction>& functions);

} // namespace vireo::qemu
