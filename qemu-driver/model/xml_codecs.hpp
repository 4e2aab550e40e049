// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/binding.hpp"
#include "qemu-driver/model/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

/// Ways of writing values that only the domain's XML has. For the *_xml.cpp files.
namespace vireo::qemu {

/// A word as a template argument.
template <std::size_t N>
struct Word {
    char text[N]{};

    consteval Word(const char (&from)[N]) { std::copy_n(from, N, text); }

    constexpr std::string_view view() const { return {text, N - 1}; }
};

/// A size whose unit is written as Word, stored in Stored bytes; without a unit it is that, too.
template <uint64_t Stored, Word Unit>
struct SizeIn : xml::Scaled<Stored, Stored> {
    static constexpr std::string_view unit = Unit.view();
};

using BytesAsB = SizeIn<1, "B">;

/// A size in the biggest unit that divides it.
struct ShortSize {
    explicit ShortSize(uint64_t bytes) : value(bytes) {
        constexpr std::array<std::string_view, 7> units{
            "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        std::size_t at = 0;
        while (value != 0 && value % 1024 == 0 && at + 1 < units.size()) {
            value /= 1024;
            ++at;
        }
        unit = units[at];
    }

    uint64_t value;
    std::string_view unit;
};

/// Octal without a prefix: `0755`.
struct Octal {
    std::string parse(std::string_view text, uint32_t& out) const {
        out = 0;
        for (const char c : text) {
            if (c < '0' || c > '7' || out > 0777) {
                return "is not an octal file mode";
            }
            out = out * 8 + static_cast<uint32_t>(c - '0');
        }
        return text.empty() || out > 0777 ? "is not an octal file mode" : "";
    }

    void format(const uint32_t& value, std::string& out) const {
        out += fmt::format("{:04o}", value);
    }
};

} // namespace vireo::qemu
