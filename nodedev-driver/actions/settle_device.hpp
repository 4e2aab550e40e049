// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>

namespace vireo::nodedev::actions {

/// Returns once the host's driver knows what is on the PCI function `name`: the controller that it
/// is, and each namespace that the drive says it has. At once for what is no NVMe drive; after the
/// driver's step limit also where something is missing, which is logged. Throws no_node_device.
Task<void> settle_device(Driver& driver, std::string name);

} // namespace vireo::nodedev::actions
