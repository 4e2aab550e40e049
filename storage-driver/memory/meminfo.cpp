// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/meminfo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace vireo::storage {

std::optional<uint64_t> find_kib(std::string_view text, std::string_view key) {
    const std::string wanted = fmt::format("{}:", key);
    size_t found = text.find(wanted);
    while (found != std::string_view::npos && found != 0 && text[found - 1] != ' ' &&
           text[found - 1] != '\n') {
        found = text.find(wanted, found + 1);
    }
    if (found == std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(found + wanted.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) {
        return std::nullopt;
    }
    return value;
}

} // namespace vireo::storage
