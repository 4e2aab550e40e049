// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// The host's side (`host` + alias) and the network card.
Plan plan_interface(const PlanContext& context, const InterfaceDef& interface);

} // namespace vireo::qemu
