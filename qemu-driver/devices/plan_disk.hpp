// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// The disk's images, the lowest first, and its device.
Plan plan_disk(const PlanContext& context, const DiskDef& disk);

/// The images alone, as for a change of medium.
Plan plan_disk_images(const PlanContext& context, const DiskDef& disk);

} // namespace vireo::qemu
