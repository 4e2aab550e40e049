// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"
#include "qemu-driver/model/guest_devices.hpp"

namespace vireo::qemu {

/// The plan of a device of any kind that can be plugged, which is one of `context.def`: what stands
/// behind it first, the device itself last. Empty where the machine brings it along.
Plan plan_device(const PlanContext& context, const Device& device);

} // namespace vireo::qemu
