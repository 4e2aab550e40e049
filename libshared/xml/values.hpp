// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

/// How values are written in attributes and texts. A codec is an empty type with
///     std::string parse(std::string_view text, T& out) const;   // what is wrong, or nothing
///     void format(const T& value, std::string& out) const;
/// Value<T> is the codec that a T has unless another is named; specialize it for a type of yours.
namespace vireo::xml {

template <class T>
struct Value;

namespace detail {

std::string parse_number(std::string_view text, int base, std::uint64_t max, std::uint64_t& out);
std::string
parse_number(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& out);
void format_number(std::uint64_t value, std::string& out);
void format_number(std::int64_t value, std::string& out);
void format_hex(std::uint64_t value, unsigned width, std::string& out);
std::string parse_bool(std::string_view text, std::string_view yes, std::string_view no, bool& out);
std::string not_one_of(const std::string_view* names, std::size_t size);
std::string parse_scaled(std::string_view text,
                         std::string_view unit,
                         std::uint64_t default_scale,
                         std::uint64_t stored_in,
                         std::uint64_t max,
                         std::uint64_t& out);

} // namespace detail

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

template <>
struct Value<std::string> {
    std::string parse(std::string_view text, std::string& out) const {
        out.assign(text);
        return {};
    }

    void format(const std::string& value, std::string& out) const { out += value; }
};

/// Decimal, with a sign only where the type has one.
template <Integer T>
struct Value<T> {
    std::string parse(std::string_view text, T& out) const {
        std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t> wide = 0;
        std::string problem;
        if constexpr (std::is_signed_v<T>) {
            problem = detail::parse_number(
                text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), wide);
        } else {
            problem = detail::parse_number(text, 10, std::numeric_limits<T>::max(), wide);
        }
        out = static_cast<T>(wide);
        return problem;
    }

    void format(const T& value, std::string& out) const {
        if constexpr (std::is_signed_v<T>) {
            detail::format_number(static_cast<std::int64_t>(value), out);
        } else {
            detail::format_number(static_cast<std::uint64_t>(value), out);
        }
    }
};

template <NamedEnum E>
struct Value<E> {
    std::string parse(std::string_view text, E& out) const {
        const std::optional<E> value = enum_of<E>(text);
        if (!value) {
            return detail::not_one_of(EnumNames<E>::names.data(), EnumNames<E>::names.size());
        }
        out = *value;
        return {};
    }

    void format(const E& value, std::string& out) const { out += name_of(value); }
};

/// `yes`, `no`: the form of a bool unless another is named. A tristate is a std::optional<bool>.
struct YesNo {
    std::string parse(std::string_view text, bool& out) const {
        return detail::parse_bool(text, "yes", "no", out);
    }

    void format(const bool& value, std::string& out) const { out += value ? "yes" : "no"; }
};

template <>
struct Value<bool> : YesNo {};

inline constexpr YesNo yes_no;

/// `on`, `off`
struct OnOff {
    std::string parse(std::string_view text, bool& out) const {
        return detail::parse_bool(text, "on", "off", out);
    }

    void format(const bool& value, std::string& out) const { out += value ? "on" : "off"; }
};

inline constexpr OnOff on_off;

/// Written `0x` and at least Width lower-case digits; read as C does: 0x1f, 31, 037.
template <unsigned Width>
struct Hex {
    template <std::unsigned_integral T>
    std::string parse(std::string_view text, T& out) const {
        std::uint64_t wide = 0;
        std::string problem = detail::parse_number(text, 0, std::numeric_limits<T>::max(), wide);
        out = static_cast<T>(wide);
        return problem;
    }

    template <std::unsigned_integral T>
    void format(const T& value, std::string& out) const {
        detail::format_hex(value, Width, out);
    }
};

template <unsigned Width>
inline constexpr Hex<Width> hex;

/// Decimal, but read as C does, too: 0x1f, 31, 037.
struct AnyBase : Hex<0> {
    template <std::unsigned_integral T>
    void format(const T& value, std::string& out) const {
        detail::format_number(std::uint64_t{value}, out);
    }
};

inline constexpr AnyBase any_base;

/// A size with a `unit` attribute beside it, as libvirt reads them: b, byte, bytes; KB, MB, ... by
/// 1000; k, KiB, M, MiB, ... up to E by 1024; case does not matter. It is stored in units of Stored
/// bytes, rounded up, and written in them. Default is what no unit means. Source: virScaleInteger.
template <std::uint64_t Stored, std::uint64_t Default>
struct Scaled {
    static constexpr std::string_view unit = Stored == 1             ? "bytes"
                                             : Stored == 1024        ? "KiB"
                                             : Stored == 1024 * 1024 ? "MiB"
                                                                     : "GiB";

    template <std::unsigned_integral T>
    std::string parse(std::string_view text, std::string_view unit_given, T& out) const {
        std::uint64_t wide = 0;
        std::string problem = detail::parse_scaled(
            text, unit_given, Default, Stored, std::numeric_limits<T>::max(), wide);
        out = static_cast<T>(wide);
        return problem;
    }

    template <std::unsigned_integral T>
    void format(const T& value, std::string& out) const {
        detail::format_number(std::uint64_t{value}, out);
    }
};

/// The member counts KiB, and so does a number without a unit: <memory unit='KiB'>.
inline constexpr Scaled<1024, 1024> kib;
/// The member counts bytes, and so does a number without a unit: <capacity unit='bytes'>.
inline constexpr Scaled<1, 1> bytes;
/// The member counts MiB, a number without a unit is bytes: <shmem>'s <size unit='M'>.
inline constexpr Scaled<1024 * 1024, 1> mib_or_bytes;

/// A std::string that holds a UUID: read with or without dashes, kept and written in lower case.
struct UuidText {
    std::string parse(std::string_view text, std::string& out) const;

    void format(const std::string& value, std::string& out) const { out += value; }
};

inline constexpr UuidText uuid;

/// A std::string that holds a MAC address, kept and written as 52:54:00:0a:0b:0c.
struct MacText {
    std::string parse(std::string_view text, std::string& out) const;

    void format(const std::string& value, std::string& out) const { out += value; }
};

inline constexpr MacText mac;

} // namespace vireo::xml
