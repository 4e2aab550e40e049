// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/values.hpp"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace vireo::xml {

namespace {

constexpr std::string_view spaces = " \t\r\n";

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(spaces);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(spaces) - begin + 1);
}

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f');
}

bool same_word(std::string_view a, std::string_view lower_case) noexcept {
    if (a.size() != lower_case.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower_case[i]) {
            return false;
        }
    }
    return true;
}

/// The bytes in one `unit`, 0 where there is no such unit.
std::uint64_t scale_of(std::string_view unit) noexcept {
    if (same_word(unit, "b") || same_word(unit, "byte") || same_word(unit, "bytes")) {
        return 1;
    }
    constexpr std::string_view letters = "kmgtpe";
    const std::size_t power = unit.empty() ? letters.npos : letters.find(lower(unit[0]));
    if (power == letters.npos) {
        return 0;
    }
    const std::string_view rest = unit.substr(1);
    std::uint64_t base = 0;
    if (rest.empty() || same_word(rest, "ib")) {
        base = 1024;
    } else if (same_word(rest, "b")) {
        base = 1000;
    }
    std::uint64_t scale = base;
    for (std::size_t i = 0; i < power; ++i) {
        scale *= base;
    }
    return scale;
}

} // namespace

namespace detail {

std::string parse_number(std::string_view text, int base, std::uint64_t max, std::uint64_t& out) {
    std::string_view digits = trimmed(text);
    const bool any_base = base == 0;
    if (any_base) {
        base = 10;
        if (digits.size() > 2 && digits[0] == '0' && lower(digits[1]) == 'x') {
            base = 16;
            digits.remove_prefix(2);
        } else if (digits.size() > 1 && digits[0] == '0') {
            base = 8;
        }
    } else if (digits.starts_with('+')) {
        digits.remove_prefix(1);
    }
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        value > max) {
        return any_base ? fmt::format("is not a number from 0 to {:#x}", max)
                        : fmt::format("is not a whole number from 0 to {}", max);
    }
    out = value;
    return {};
}

std::string
parse_number(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& out) {
    std::string_view digits = trimmed(text);
    if (digits.starts_with('+') && !digits.starts_with("+-")) {
        digits.remove_prefix(1);
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        value < min || value > max) {
        return fmt::format("is not a whole number from {} to {}", min, max);
    }
    out = value;
    return {};
}

void format_number(std::uint64_t value, std::string& out) {
    fmt::format_int digits(value);
    out.append(digits.data(), digits.size());
}

void format_number(std::int64_t value, std::string& out) {
    fmt::format_int digits(value);
    out.append(digits.data(), digits.size());
}

void format_hex(std::uint64_t value, unsigned width, std::string& out) {
    fmt::format_to(std::back_inserter(out), "0x{:0{}x}", value, width);
}

std::string
parse_bool(std::string_view text, std::string_view yes, std::string_view no, bool& out) {
    if (text != yes && text != no) {
        return fmt::format("is not one of {}, {}", yes, no);
    }
    out = text == yes;
    return {};
}

std::string not_one_of(const std::string_view* names, std::size_t size) {
    std::string problem = "is not one of ";
    bool first = true;
    for (std::size_t i = 0; i < size; ++i) {
        if (!names[i].empty()) {
            problem += first ? "" : ", ";
            problem += names[i];
            first = false;
        }
    }
    return problem;
}

std::string parse_scaled(std::string_view text,
                         std::string_view unit,
                         std::uint64_t default_scale,
                         std::uint64_t stored_in,
                         std::uint64_t max,
                         std::uint64_t& out) {
    std::uint64_t value = 0;
    std::string problem = parse_number(text, 10, UINT64_MAX, value);
    if (!problem.empty()) {
        return problem;
    }
    const std::uint64_t scale = unit.empty() ? default_scale : scale_of(unit);
    if (scale == 0) {
        return fmt::format("has the unit '{}', which is not one of bytes, KiB, MiB, GiB, TiB, PiB, "
                           "EiB, KB, MB, GB, TB, PB, EB",
                           unit.substr(0, 32));
    }
    std::uint64_t in_bytes = 0;
    if (__builtin_mul_overflow(value, scale, &in_bytes)) {
        return fmt::format("in units of {} bytes is more than {} bytes", scale, UINT64_MAX);
    }
    const std::uint64_t stored = in_bytes / stored_in + (in_bytes % stored_in != 0 ? 1 : 0);
    if (stored > max) {
        return fmt::format(
            "in units of {} bytes is more than {} units of {}", scale, max, stored_in);
    }
    out = stored;
    return {};
}

} // namespace detail

std::string UuidText::parse(std::string_view text, std::string& out) const {
    constexpr std::string_view shape = "8-4-4-4-12";
    const std::string_view given = trimmed(text);
    std::string digits;
    bool good = given.size() == 32 || given.size() == 36;
    for (std::size_t i = 0; good && i < given.size(); ++i) {
        const bool dash = given.size() == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        good = dash ? given[i] == '-' : is_hex(given[i]);
        if (!dash) {
            digits += lower(given[i]);
        }
    }
    if (!good) {
        return fmt::format("is not a UUID (hexadecimal digits as {})", shape);
    }
    out.clear();
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            out += '-';
        }
        out += digits[i];
    }
    return {};
}

std::string MacText::parse(std::string_view text, std::string& out) const {
    std::string_view rest = trimmed(text);
    std::string address;
    bool good = true;
    for (int octet = 0; good && octet < 6; ++octet) {
        std::size_t digits = 0;
        while (digits < rest.size() && digits < 2 && is_hex(rest[digits])) {
            ++digits;
        }
        good = digits > 0;
        address += digits == 1 ? "0" : "";
        for (const char c : rest.substr(0, digits)) {
            address += lower(c);
        }
        rest.remove_prefix(digits);
        if (octet < 5) {
            good = good && rest.starts_with(':');
            rest.remove_prefix(good ? 1 : 0);
            address += ':';
        }
    }
    if (!good || !rest.empty()) {
        return "is not a MAC address like 52:54:00:01:02:03";
    }
    out = std::move(address);
    return {};
}

} // namespace vireo::xml
