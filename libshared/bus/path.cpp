// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/path.hpp"

#include <algorithm>

namespace vireo::bus {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

bool plain(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

std::string encode_path_element(std::string_view name) {
    std::string element;
    for (const char c : name) {
        if (plain(c)) {
            element += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            element += '_';
            element += digits[byte >> 4];
            element += digits[byte & 0xf];
        }
    }
    return element;
}

std::optional<std::string> decode_path_element(std::string_view element) {
    std::string name;
    for (size_t i = 0; i < element.size(); ++i) {
        if (plain(element[i])) {
            name += element[i];
            continue;
        }
        if (element[i] != '_' || i + 2 >= element.size()) {
            return std::nullopt;
        }
        const auto high = digits.find(element[i + 1]);
        const auto low = digits.find(element[i + 2]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        name += static_cast<char>(high << 4 | low);
        i += 2;
    }
    // Only one way to write a name leads to it.
    if (encode_path_element(name) != element) {
        return std::nullopt;
    }
    return name;
}

std::string encode_uuid(std::string_view uuid) {
    std::string element = "_";
    element += uuid;
    std::ranges::replace(element, '-', '_');
    return element;
}

std::optional<std::string> decode_uuid(std::string_view element) {
    constexpr size_t uuid_length = 36;
    if (element.size() != uuid_length + 1 || element.front() != '_') {
        return std::nullopt;
    }
    std::string uuid(element.substr(1));
    std::ranges::replace(uuid, '_', '-');
    return uuid;
}

} // namespace vireo::bus
