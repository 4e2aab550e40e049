// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// The host's side of a character device, under the id `char` + alias. `channel` names a channel's
/// socket where the definition leaves its path to the driver.
Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const std::string& alias,
                  const std::string& channel = {});

Plan plan_serial(const PlanContext& context, const SerialDef& serial);
Plan plan_parallel(const PlanContext& context, const ParallelDef& parallel);
/// Empty for the console that is only another name of the first serial port.
Plan plan_console(const PlanContext& context, const ConsoleDef& console);
Plan plan_channel(const PlanContext& context, const ChannelDef& channel);

} // namespace vireo::qemu
