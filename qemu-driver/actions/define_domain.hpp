// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

namespace vireo::qemu::actions {

/// Stores a definition, new or in place of the domain's earlier one, and returns once it is on
/// disk. A running domain goes on as it is and becomes persistent. Throws what is wrong with the
/// document, operation_failed where its name or UUID belongs to another domain; nothing has changed
/// then.
Task<DomainPtr> define_domain(Driver& driver, std::string xml);

/// Forgets the definition; a running domain becomes transient. `flags`:
/// virDomainUndefineFlagsValues. Throws operation_invalid where the domain is transient or, without
/// the flag that says what to do with it, has an NVRAM file.
Task<void> undefine_domain(Driver& driver, DomainPtr domain, std::uint32_t flags);

/// Gives an inactive persistent domain another name.
Task<void> rename_domain(Driver& driver, DomainPtr domain, std::string name, std::uint32_t flags);

/// Whether it starts with the host. operation_invalid where it is transient.
Task<void> set_autostart(Driver& driver, DomainPtr domain, bool autostart);

} // namespace vireo::qemu::actions
