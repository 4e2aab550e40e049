// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/id_ranges.hpp"

#include "libshared/error.hpp"

#include <charconv>

namespace vireo::qemu {

namespace {

uint32_t number(std::string_view text, std::string_view whole) {
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw Error(ErrorCode::config_unsupported, "'{}' is not a list like '0-3,8'", whole);
    }
    return value;
}

} // namespace

std::vector<std::string> split_ranges(std::string_view ranges) {
    std::vector<std::string> parts;
    while (!ranges.empty()) {
        const auto comma = ranges.find(',');
        parts.emplace_back(ranges.substr(0, comma));
        ranges.remove_prefix(comma == std::string_view::npos ? ranges.size() : comma + 1);
    }
    return parts;
}

bool ranges_contain(std::string_view ranges, uint32_t id) {
    for (const std::string& part : split_ranges(ranges)) {
        const std::string_view text = part;
        const auto dash = text.find('-');
        const uint32_t first = number(text.substr(0, dash), ranges);
        const uint32_t last =
            dash == std::string_view::npos ? first : number(text.substr(dash + 1), ranges);
        if (first <= id && id <= last) {
            return true;
        }
    }
    return false;
}

} // namespace vireo::qemu
