// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace vireo::qemu::actions {

/// The domain's guest; throws operation_invalid where it is not running, or only starting.
std::shared_ptr<Guest> active_guest(const Domain& domain);

inline constexpr std::chrono::microseconds command_limit = std::chrono::seconds(30);

/// One command to a guest's QEMU. Throws what QEMU says, operation_timeout
/// where it says nothing, operation_failed where it ends meanwhile.
Task<nlohmann::json> monitor_command(Driver& driver,
                                     std::shared_ptr<Guest> guest,
                                     std::string command,
                                     nlohmann::json arguments = nullptr,
                                     std::chrono::microseconds limit = command_limit);

} // namespace vireo::qemu::actions
