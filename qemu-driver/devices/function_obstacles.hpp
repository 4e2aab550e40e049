// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/obstacles.hpp"

/// What the host has against giving one of its PCI functions to a guest.
namespace vireo::qemu {

/// One about `function`, its cause still to be said.
Obstacle obstacle_of(ErrorCode code, std::string check, const HostFunction& function);

/// Ways out that several checks name.
std::string block_way(const HostFunction& function);
extern const char* const whole_controller_way;

/// Adds what is found: the device, its IOMMU group, who has it, what uses it, the namespace. `all`:
/// what the guest takes together with it; `holder`: the guest itself.
void add_function_obstacles(const std::vector<HostFunction>& all,
                            const HostFunction& function,
                            const FunctionFacts& facts,
                            const std::vector<OtherGuest>& others,
                            const std::string& holder,
                            std::vector<Obstacle>& found);

} // namespace vireo::qemu
