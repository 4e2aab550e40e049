// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// What goes over a QMP connection. Source: QEMU, docs/interop/qmp-spec.txt.
namespace vireo::qemu::qmp {

struct Version {
    unsigned major = 0, minor = 0, micro = 0;
    std::string package; ///< the distribution's version text, may be empty
};

/// The first line that QEMU sends.
struct Greeting {
    Version version;
};

struct Event {
    std::string name;
    nlohmann::json data;                 ///< an object, empty where the event has no data
    std::chrono::microseconds timestamp; ///< QEMU's CLOCK_REALTIME, zero where it has none
};

/// The answer to one command.
struct Reply {
    nlohmann::json result; ///< the value of "return"
    bool failed = false;
    std::string error_class; ///< of a failed one, e.g. "GenericError", "CommandNotFound"
    std::string description; ///< of a failed one
    bool tagged = false;     ///< carries an "id"
};

using Message = std::variant<Greeting, Event, Reply>;

/// Throws parse_failed when the line is not one JSON object of one of these three forms.
Message parse_message(std::string_view line);

/// The text of a command, a line. Throws invalid_arg when a string in it is not UTF-8. A tagged one
/// has an "id", so that its answer has one too: QEMU reads a byte in some 4 µs, so this is for
/// where it is needed.
std::string
format_command(std::string_view command, const nlohmann::json& arguments, bool tagged = false);

} // namespace vireo::qemu::qmp
