// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

/// What clients are told of a running guest's memory as a whole.
namespace vireo::qemu::actions {

/// Of the domain's guest as the daemon knows it; nothing of one that is not running, or only
/// starting.
MemoryAmounts memory_amounts(const Domain& domain);

/// Tells of what is different from what was told last. To be called after each change of the
/// guest's live document or of its balloon's target, and after its start.
void tell_of_memory(Driver& driver, const Domain& domain);

/// The domain is inactive again.
void tell_of_no_memory(Driver& driver, const Domain& domain);

} // namespace vireo::qemu::actions
