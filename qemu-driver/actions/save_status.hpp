// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

namespace vireo::qemu::actions {

/// Writes what a restarted daemon must know of this active domain. A failure (a full /run) is
/// logged: the guest goes on.
void save_status(Driver& driver, const Domain& domain);

/// The same for what a restarted daemon asks QEMU for anyway: written some time later, once for
/// many changes, so that nobody waits for it.
void save_status_later(Driver& driver, const DomainPtr& domain);

} // namespace vireo::qemu::actions
