// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/bus/reply.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

namespace vireo::qemu::actions {

/// What the command line of this guest needs to know of the host and of the guest's own folders;
/// its hot-plugged devices need the same.
LaunchFacts launch_facts(const Driver& driver, const Guest& guest);

/// virDomainCreateFlags that have a meaning here.
struct StartOptions {
    bool paused = false;      // VIR_DOMAIN_START_PAUSED
    bool autodestroy = false; // VIR_DOMAIN_START_AUTODESTROY: ends with the caller
    bool validate = false;    // VIR_DOMAIN_START_VALIDATE: what is not known is refused
    bool reset_nvram = false; // VIR_DOMAIN_START_RESET_NVRAM: variables as in the template

    /// Throws invalid_arg naming the flags that are unknown or not supported.
    static StartOptions from_flags(std::uint32_t flags);
};

/// Starts the stored definition of an inactive domain and returns once QEMU answers and, unless
/// paused, the guest runs. Throws operation_invalid where it is active, and what stood in the way
/// otherwise, with the last lines that QEMU printed; nothing is left of a failed start.
Task<void> start_domain(Driver& driver, DomainPtr domain, StartOptions options, bus::Caller caller);

/// The same from a document: the domain exists only while it runs, unless it is persistent already.
Task<DomainPtr>
create_domain(Driver& driver, std::string xml, StartOptions options, bus::Caller caller);

/// Once in a boot: every domain that is to start with the host.
Task<void> autostart_domains(Driver& driver);

} // namespace vireo::qemu::actions
