// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>

namespace vireo::qemu::actions {

/// Ends the guest's process and returns once the domain is inactive: SIGTERM, which lets QEMU flush
/// its disks, and SIGKILL after 10 s. `graceful` refuses with operation_failed instead of SIGKILL.
/// Does not wait in the domain's queue: a change that is stuck fails by it.
/// Throws operation_invalid where the domain is not running.
Task<void> destroy_domain(Driver& driver, DomainPtr domain, bool graceful);

/// Sends SIGTERM and lets the guest's end be noticed: after SHUTDOWN, and where a client has left.
void end_guest(Guest& guest);

/// Follows the guest's process to its end and makes the domain inactive: signals, status, folder.
/// A transient domain is gone then. Lives in `driver.followers`.
Task<void> follow_guest(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest);

/// The domain is inactive from here on, with this reason; no signal but the native ones.
void make_inactive(Driver& driver, const DomainPtr& domain, StateReason state);

} // namespace vireo::qemu::actions
