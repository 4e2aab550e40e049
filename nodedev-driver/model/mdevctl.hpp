// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "nodedev-driver/model/node_device.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

/// mdevctl(8), which makes mediated devices and stores their definitions.
namespace vireo::nodedev {

/// `create` makes a device that is not stored, `start` one that is.
enum class MdevAction { create, define, start, stop, undefine };

struct MdevctlCommand {
    /// With the program's name.
    std::vector<std::string> words;
    /// What it reads from its standard input.
    std::string input;

    bool operator==(const MdevctlCommand&) const = default;
};

/// The command for a mediated device below the parent that the kernel calls `parent`
/// (`0000:00:02.0`), which only `create` and `define` name.
MdevctlCommand
mdevctl_command(MdevAction action, const MdevCapability& mdev, const std::string& parent);

/// The devices that `mdevctl list --dumpjson` tells of. Throws parse_failed.
std::vector<NodeDevice> parse_mdevctl_list(std::string_view text);

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::MdevAction> {
    static constexpr std::array<std::string_view, 5> names{
        "create", "define", "start", "stop", "undefine"};
};
