// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/launch.hpp"

namespace vireo::qemu {

/// The host and the settings behind the expected command lines, from the corpora's
/// environment.json, for the guest `def`, of whose block nodes `nodes` have a number.
LaunchFacts launch_facts(const nlohmann::json& environment, const DomainDef& def, uint32_t nodes);

/// The command line of a completed definition in that environment: aliases, node names, ports and
/// firmware are chosen as at a start. Reads the firmware descriptors that the file names.
std::vector<std::string>
command_line_in(const nlohmann::json& environment, const QemuCapabilities& caps, DomainDef def);

} // namespace vireo::qemu
