// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/driver.hpp"

#include <cstdint>
#include <string>

namespace vireo::nodedev::actions {

/// The document of `device` as things are now: a link that goes up or down, an NVMe controller that
/// is reset and a mount make no event of the device, so those parts are read again. Of `flags` bit
/// 0 (the stored definition of an inactive device) changes nothing for a device that is there;
/// throws invalid_arg for others.
std::string describe_device(Driver& driver, const NodeDevice& device, uint32_t flags);

} // namespace vireo::nodedev::actions
