// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/launch.hpp"

#include <functional>

namespace vireo::qemu {

enum class PortUse { vnc, vnc_websocket, spice, spice_tls };

/// Puts a port wherever the definition leaves it to the driver (`autoport`, -1 or nothing said):
/// asks `choose` once for each, which gives a free one and keeps it. Graphics that
/// listen on no address get none. SPICE gets a TLS port where `spice_tls` is on and its channels
/// may use it.
void assign_graphics_ports(DomainDef& def,
                           bool spice_tls,
                           const std::function<int32_t(PortUse)>& choose);

/// Lets VNC and SPICE listen on sockets in the guest's own folder, where the settings say so and
/// the definition names no address. To be done before ports are chosen.
void use_automatic_sockets(DomainDef& def, const LaunchSettings& settings);

} // namespace vireo::qemu
