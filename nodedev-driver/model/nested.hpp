// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace vireo::nodedev {

template <std::size_t Size>
struct WordText {
    char text[Size]{};

    constexpr WordText(const char (&from)[Size]) { std::copy_n(from, Size, text); }

    constexpr std::string_view view() const { return {text, Size - 1}; }
};

/// The `type` attribute of a capability that stands inside another one: always the same word. Its
/// struct has it as member `type`.
template <WordText Text>
struct Word {
    static constexpr std::string_view word = Text.view();

    bool operator==(const Word&) const = default;
};

} // namespace vireo::nodedev
