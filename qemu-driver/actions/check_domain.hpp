// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/devices/obstacles.hpp"
#include "qemu-driver/driver.hpp"

#include <string>
#include <vector>

namespace vireo::qemu::actions {

/// All that would stand in the way if this document were defined and started now; nothing is
/// defined, taken from the host or made. The checks are those of a start. A document that cannot be
/// read or completed is one obstacle alone: what it would mean is not known then.
Task<std::vector<Obstacle>> check_domain(Driver& driver, std::string xml);

} // namespace vireo::qemu::actions
