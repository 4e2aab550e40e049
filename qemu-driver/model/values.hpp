// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/parts.hpp"

#include <array>
#include <cstdint>
#include <string_view>

/// Small value types that many device structs share, and how enumerations are spelled.
namespace vireo::qemu {

/// A switch spelled `on`/`off`. In a struct it is a `std::optional<OnOff>` wherever leaving it out
/// means "whatever QEMU's default is", which differs from both values.
enum class OnOff { off, on };

/// A switch spelled `yes`/`no`.
enum class YesNo { no, yes };

using xml::name_of;

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::OnOff> {
    static constexpr std::array<std::string_view, 2> names{"off", "on"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::YesNo> {
    static constexpr std::array<std::string_view, 2> names{"no", "yes"};
};
