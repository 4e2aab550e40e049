// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "nodedev-driver/driver.hpp"

#include <string>

namespace vireo::nodedev::actions {

/// Asks the NVMe controller `controller` (`nvme0`), whose device is `name`, for its health log, and
/// keeps the answer in the driver. The drive is asked beside the loop. Throws operation_timeout
/// after the driver's limit, system_error or operation_failed where kernel or drive refuse.
Task<void> refresh_health(Driver& driver, std::string name, std::string controller);

} // namespace vireo::nodedev::actions
