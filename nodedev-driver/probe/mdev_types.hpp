// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/mediated_capability.hpp"
#include "nodedev-driver/probe/sys_device.hpp"

#include <optional>

namespace vireo::nodedev {

/// What kinds of mediated devices `device` can make; nothing where it can make none.
/// Source: the kernel's Documentation/driver-api/vfio-mediated-device.rst.
std::optional<MdevTypes> read_mdev_types(const SysDevice& device);

} // namespace vireo::nodedev
