// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>
#include <optional>

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

/// What the end of a guest's process means.
struct End {
    StateReason state;
    LifecycleEvent event;
};

End end_of(const Domain& domain, const Guest& guest);

/// The domain is inactive from here on, with this reason. Its status is kept until `event`, where
/// there is one, is on its way: a daemon that is killed before leaves it to be told by the next.
void make_inactive(Driver& driver,
                   const DomainPtr& domain,
                   StateReason state,
                   std::optional<LifecycleEvent> event = std::nullopt);

} // namespace vireo::qemu::actions
