// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What a client does to a running guest. Each waits for its turn in the domain's queue and at most
/// 30 s for QEMU (operation_timeout); operation_invalid where the domain is not running.
namespace vireo::qemu::actions {

/// Stops the vCPUs; nothing happens where they are stopped.
Task<void> suspend_domain(Driver& driver, DomainPtr domain);
/// Lets them run; operation_invalid where they run.
Task<void> resume_domain(Driver& driver, DomainPtr domain);
/// The machine's reset button.
Task<void> reset_domain(Driver& driver, DomainPtr domain);
/// The machine's power button; the guest decides. `flags`: virDomainShutdownFlagValues, of which
/// ACPI is supported.
Task<void> shutdown_domain(Driver& driver, DomainPtr domain, std::uint32_t flags);
/// The same, and the machine starts again where the guest would have powered it off.
/// `flags`: virDomainRebootFlagValues, of which ACPI is supported.
Task<void> reboot_domain(Driver& driver, DomainPtr domain, std::uint32_t flags);
/// Wakes a guest that suspended itself to memory; operation_failed with QEMU's words otherwise.
Task<void> wake_domain(Driver& driver, DomainPtr domain);
Task<void> inject_nmi(Driver& driver, DomainPtr domain);

} // namespace vireo::qemu::actions
