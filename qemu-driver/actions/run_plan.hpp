// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/devices/plan.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>

/// A device's plan in a running guest.
namespace vireo::qemu::actions {

/// Makes the steps one after the other. Where one fails, those before it are taken back in reverse
/// order, and what QEMU said is thrown. Limits as monitor_command().
Task<void> run_plan(Driver& driver, std::shared_ptr<Guest> guest, Plan plan);

/// Takes back what stands behind a device once QEMU has let go of the device itself: all steps but
/// the device's, in reverse order. What cannot be taken back is logged.
Task<void> undo_plan(Driver& driver, std::shared_ptr<Guest> guest, Plan plan);

} // namespace vireo::qemu::actions
