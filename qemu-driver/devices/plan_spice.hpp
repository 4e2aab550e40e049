// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

Plan plan_spice(const PlanContext& context,
                const SpiceGraphics& spice,
                const std::vector<GraphicsListen>& listens);

/// The address of a listen of type 'address' or 'network', 127.0.0.1 where none is given.
std::string listen_address(const GraphicsListen& listen);

/// The id of the audio back end that VNC clients hear.
std::optional<std::string> audio_for_vnc(const PlanContext& context, const VncGraphics& vnc);

} // namespace vireo::qemu
