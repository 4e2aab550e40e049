// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan.hpp"

namespace vireo::qemu {

/// The command that takes back what the step made, and what it names that by: `blockdev-del`,
/// `node-name`. Null for a device, which its guest must let go, and where there is none.
const char* reverse_command(const Step& step);
const char* reverse_key(const Step& step);

} // namespace vireo::qemu
