// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>
#include <set>
#include <string>

namespace vireo::qemu {

/// The TCP ports that a running guest's graphics have.
std::set<std::int32_t> graphics_ports(const DomainDef& live);

/// Decides where a guest's graphics listen, wherever its definition leaves that open: on this host
/// alone; sockets lie in `folder`; ports are none of `taken` and nobody listens at them on
/// the addresses of these graphics. `taken` is what the guests have
/// that run or start: nothing may be waited for before this one is among them. Throws
/// operation_failed where no port is left.
void place_graphics(DomainDef& live, std::set<std::int32_t> taken, const std::string& folder);

} // namespace vireo::qemu
