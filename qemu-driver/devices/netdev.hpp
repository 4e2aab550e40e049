// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

#include <string_view>

namespace vireo::qemu {

/// Throws config_unsupported, naming the card and what of it no plan makes.
[[noreturn]] void refuse_interface(const InterfaceDef& interface, std::string_view what);

bool is_virtio(const InterfaceDef& interface);

/// The host's side of a network card, `host` + alias, and what it needs before it.
Plan plan_netdev(const PlanContext& context, const InterfaceDef& interface);

} // namespace vireo::qemu
