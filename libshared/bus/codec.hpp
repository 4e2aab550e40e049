// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "libshared/error.hpp"

#include <systemd/sd-bus.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

/// C++ types as D-Bus types, both ways. The signature comes from the type at compile time:
/// bool b, uint8_t y, int16_t n … uint64_t t, double d, std::string s, ObjectPath o, Signature g,
/// UnixFd h, Variant v, vector<T> aT, vector<uint8_t> ay, map<K, V> and vector<pair<K, V>> a{KV},
/// tuple<…> (…). Strings are copied out of a message at once; they die with it.
namespace vireo::bus {

/// A string of the compile time.
template <std::size_t N>
struct FixedString {
    std::array<char, N> text{};
    constexpr FixedString() = default;

    consteval FixedString(const char (&literal)[N]) { // NOLINT: a literal is meant to convert
        for (std::size_t i = 0; i < N; ++i) {
            text[i] = literal[i];
        }
    }

    static constexpr std::size_t length = N - 1;

    constexpr const char* c_str() const { return text.data(); }
};

template <std::size_t A, std::size_t B>
consteval FixedString<A + B - 1> operator+(const FixedString<A>& a, const FixedString<B>& b) {
    FixedString<A + B - 1> sum;
    for (std::size_t i = 0; i < A - 1; ++i) {
        sum.text[i] = a.text[i];
    }
    for (std::size_t i = 0; i < B; ++i) {
        sum.text[A - 1 + i] = b.text[i];
    }
    return sum;
}

/// How one type goes into a message and out of it.
template <class T>
struct Codec;

template <class T>
inline constexpr auto signature = Codec<T>::signature;

template <class T>
void append(sd_bus_message* message, const T& value) {
    Codec<T>::append(message, value);
}

template <class T>
T read(sd_bus_message* message) {
    return Codec<T>::read(message);
}

namespace detail {

inline int sent(int result) {
    return check(result, "write a D-Bus message");
}

inline int received(int result) {
    return check(result, "read a D-Bus message");
}

template <class T, class Wire, char Type>
struct Basic {
    static constexpr FixedString<2> signature = [] {
        FixedString<2> text;
        text.text = {Type, '\0'};
        return text;
    }();

    static void append(sd_bus_message* message, T value) {
        const Wire wire = static_cast<Wire>(value);
        sent(sd_bus_message_append_basic(message, Type, &wire));
    }

    static T read(sd_bus_message* message) {
        Wire wire{};
        received(sd_bus_message_read_basic(message, Type, &wire));
        return static_cast<T>(wire);
    }
};

template <class T, char Type>
struct Text {
    static constexpr FixedString<2> signature = Basic<int, int, Type>::signature;

    static void append(sd_bus_message* message, const T& value) {
        const std::string& text = value;
        sent(sd_bus_message_append_basic(message, Type, text.c_str()));
    }

    static T read(sd_bus_message* message) {
        const char* text = nullptr;
        received(sd_bus_message_read_basic(message, Type, &text));
        return T(text);
    }
};

/// Enters and leaves an array, calling `element` for each.
template <class F>
void each_element(sd_bus_message* message, const char* contents, F element) {
    received(sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, contents));
    while (received(sd_bus_message_at_end(message, 0)) == 0) {
        element();
    }
    received(sd_bus_message_exit_container(message));
}

template <class Container, class K, class V>
struct Dictionary {
    static constexpr auto entry = Codec<K>::signature + Codec<V>::signature;
    static constexpr auto contents = FixedString("{") + entry + FixedString("}");
    static constexpr auto signature = FixedString("a") + contents;

    static void append(sd_bus_message* message, const Container& entries) {
        sent(sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, contents.c_str()));
        for (const auto& [key, value] : entries) {
            sent(sd_bus_message_open_container(message, SD_BUS_TYPE_DICT_ENTRY, entry.c_str()));
            Codec<K>::append(message, key);
            Codec<V>::append(message, value);
            sent(sd_bus_message_close_container(message));
        }
        sent(sd_bus_message_close_container(message));
    }

    static Container read(sd_bus_message* message) {
        Container entries;
        each_element(message, contents.c_str(), [&] {
            received(
                sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, entry.c_str()));
            K key = Codec<K>::read(message);
            V value = Codec<V>::read(message);
            entries.insert(entries.end(), {std::move(key), std::move(value)});
            received(sd_bus_message_exit_container(message));
        });
        return entries;
    }
};

} // namespace detail

template <>
struct Codec<bool> : detail::Basic<bool, int, SD_BUS_TYPE_BOOLEAN> {};

template <>
struct Codec<std::uint8_t> : detail::Basic<std::uint8_t, std::uint8_t, SD_BUS_TYPE_BYTE> {};

template <>
struct Codec<std::int16_t> : detail::Basic<std::int16_t, std::int16_t, SD_BUS_TYPE_INT16> {};

template <>
struct Codec<std::uint16_t> : detail::Basic<std::uint16_t, std::uint16_t, SD_BUS_TYPE_UINT16> {};

template <>
struct Codec<std::int32_t> : detail::Basic<std::int32_t, std::int32_t, SD_BUS_TYPE_INT32> {};

template <>
struct Codec<std::uint32_t> : detail::Basic<std::uint32_t, std::uint32_t, SD_BUS_TYPE_UINT32> {};

template <>
struct Codec<std::int64_t> : detail::Basic<std::int64_t, std::int64_t, SD_BUS_TYPE_INT64> {};

template <>
struct Codec<std::uint64_t> : detail::Basic<std::uint64_t, std::uint64_t, SD_BUS_TYPE_UINT64> {};

template <>
struct Codec<double> : detail::Basic<double, double, SD_BUS_TYPE_DOUBLE> {};

template <>
struct Codec<std::string> : detail::Text<std::string, SD_BUS_TYPE_STRING> {};

template <>
struct Codec<ObjectPath> : detail::Text<ObjectPath, SD_BUS_TYPE_OBJECT_PATH> {};

template <>
struct Codec<Signature> : detail::Text<Signature, SD_BUS_TYPE_SIGNATURE> {};

template <>
struct Codec<UnixFd> {
    static constexpr FixedString<2> signature = "h";
    static void append(sd_bus_message* message, const UnixFd& fd);
    static UnixFd read(sd_bus_message* message);
};

template <>
struct Codec<Variant> {
    static constexpr FixedString<2> signature = "v";
    static void append(sd_bus_message* message, const Variant& value);
    static Variant read(sd_bus_message* message);
};

template <>
struct Codec<LibvirtDict> {
    static constexpr FixedString<6> signature = "a{sv}";
    static void append(sd_bus_message* message, const LibvirtDict& entries);
};

template <class T>
struct Codec<std::vector<T>> {
    static constexpr auto signature = FixedString("a") + Codec<T>::signature;

    static void append(sd_bus_message* message, const std::vector<T>& values) {
        detail::sent(
            sd_bus_message_open_container(message, SD_BUS_TYPE_ARRAY, Codec<T>::signature.c_str()));
        for (const auto& value : values) {
            Codec<T>::append(message, value);
        }
        detail::sent(sd_bus_message_close_container(message));
    }

    static std::vector<T> read(sd_bus_message* message) {
        std::vector<T> values;
        detail::each_element(message, Codec<T>::signature.c_str(), [&] {
            values.push_back(Codec<T>::read(message));
        });
        return values;
    }
};

template <>
struct Codec<std::vector<std::uint8_t>> {
    static constexpr FixedString<3> signature = "ay";

    static void append(sd_bus_message* message, const std::vector<std::uint8_t>& bytes) {
        detail::sent(
            sd_bus_message_append_array(message, SD_BUS_TYPE_BYTE, bytes.data(), bytes.size()));
    }

    static std::vector<std::uint8_t> read(sd_bus_message* message) {
        const void* data = nullptr;
        std::size_t size = 0;
        detail::received(sd_bus_message_read_array(message, SD_BUS_TYPE_BYTE, &data, &size));
        const auto* bytes = static_cast<const std::uint8_t*>(data);
        return {bytes, bytes + size};
    }
};

template <class K, class V>
struct Codec<std::vector<std::pair<K, V>>>
    : detail::Dictionary<std::vector<std::pair<K, V>>, K, V> {};

template <class K, class V>
struct Codec<std::map<K, V>> : detail::Dictionary<std::map<K, V>, K, V> {};

template <class... T>
struct Codec<std::tuple<T...>> {
    static constexpr auto contents = (FixedString("") + ... + Codec<T>::signature);
    static constexpr auto signature = FixedString("(") + contents + FixedString(")");

    static void append(sd_bus_message* message, const std::tuple<T...>& values) {
        detail::sent(sd_bus_message_open_container(message, SD_BUS_TYPE_STRUCT, contents.c_str()));
        std::apply([&](const T&... value) { (Codec<T>::append(message, value), ...); }, values);
        detail::sent(sd_bus_message_close_container(message));
    }

    static std::tuple<T...> read(sd_bus_message* message) {
        detail::received(
            sd_bus_message_enter_container(message, SD_BUS_TYPE_STRUCT, contents.c_str()));
        std::tuple<T...> values{Codec<T>::read(message)...}; // in order: braces
        detail::received(sd_bus_message_exit_container(message));
        return values;
    }
};

/// The arguments of a message, as its body has them.
template <class... T>
std::tuple<T...> read_all(sd_bus_message* message) {
    return std::tuple<T...>{Codec<T>::read(message)...};
}

} // namespace vireo::bus
