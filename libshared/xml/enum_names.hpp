// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <concepts>
#include <optional>
#include <string_view>
#include <type_traits>

namespace vireo::xml {

/// The words of an enumeration, by value. Specialize it beside the enumeration:
///     template <> struct xml::EnumNames<DiskType> {
///         static constexpr std::array<std::string_view, 2> names{"file", "block"};
///     };
/// An empty word stands for a value that has none in XML (mostly "not given"); it is neither
/// accepted nor written.
template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = std::is_enum_v<E> && requires {
    { EnumNames<E>::names.size() } -> std::convertible_to<std::size_t>;
};

/// The word of `value`; empty where it has none.
template <NamedEnum E>
constexpr std::string_view name_of(E value) noexcept {
    const auto index = static_cast<std::size_t>(value);
    return index < EnumNames<E>::names.size() ? EnumNames<E>::names[index] : std::string_view();
}

/// The value that is called `word`.
template <NamedEnum E>
constexpr std::optional<E> enum_of(std::string_view word) noexcept {
    for (std::size_t i = 0; i < EnumNames<E>::names.size(); ++i) {
        if (!word.empty() && EnumNames<E>::names[i] == word) {
            return static_cast<E>(i);
        }
    }
    return std::nullopt;
}

} // namespace vireo::xml
