// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

struct ChardevNames {
    std::string id;      ///< in QEMU
    std::string alias;   ///< of the device that it is for
    std::string channel; ///< of a channel's socket, where the definition leaves its path open
    const char* spice = "vdagent"; ///< what SPICE calls such a device
    /// QEMU makes a listening socket by itself, and does not run the guest before a client is
    /// there.
    bool waits_for_client = false;
};

/// The host's side of a character device.
Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const ChardevNames& names);
/// The same under the id `char` + alias, as the devices of `<serial>` and its like have it.
Plan plan_chardev(const PlanContext& context,
                  const ChardevSource& source,
                  const std::string& alias,
                  const std::string& channel = {});

/// A connection to the UNIX socket at `path`.
ChardevSource socket_client(std::string path, std::optional<ReconnectDef> reconnect = {});

Plan plan_serial(const PlanContext& context, const SerialDef& serial);
Plan plan_parallel(const PlanContext& context, const ParallelDef& parallel);
/// Empty for the console that is only another name of the first serial port.
Plan plan_console(const PlanContext& context, const ConsoleDef& console);
Plan plan_channel(const PlanContext& context, const ChannelDef& channel);

} // namespace vireo::qemu
