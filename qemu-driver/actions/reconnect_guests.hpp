// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

namespace vireo::qemu::actions {

/// Finds the guests of an earlier run of the daemon again, each by its status: takes up the
/// connection to its QEMU, asks for its state and tells of what changed meanwhile, once. A guest
/// whose QEMU is gone becomes inactive with its signal; one whose start was not finished is ended.
/// Domains are registered when it returns; what has to wait for a QEMU goes on in
/// `driver.followers`.
void reconnect_guests(Driver& driver);

} // namespace vireo::qemu::actions
