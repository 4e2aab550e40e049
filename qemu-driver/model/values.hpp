// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace vireo::xml {
/// How an enumeration is spelled; see libshared/xml/binding.hpp.
template <class E>
struct EnumNames;
} // namespace vireo::xml

/// Small value types that many device structs share, and how enumerations are spelled.
namespace vireo::qemu {

/// A switch spelled `on`/`off`. In a struct it is a `std::optional<OnOff>` wherever leaving it out
/// means "whatever QEMU's default is", which differs from both values.
enum class OnOff { off, on };

/// A switch spelled `yes`/`no`.
enum class YesNo { no, yes };

/// The XML spelling of an enumeration's value (QEMU's spelling is the plan's own concern).
template <class E>
constexpr std::string_view name_of(E value) {
    return xml::EnumNames<E>::names[static_cast<std::size_t>(value)];
}

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::OnOff> {
    static constexpr std::array<std::string_view, 2> names{"off", "on"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::YesNo> {
    static constexpr std::array<std::string_view, 2> names{"no", "yes"};
};
