// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/host_memory.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

namespace vireo::storage {

namespace {

/// The number behind `key:` in lines as `MemFree:  123 kB` or `Node 0 MemFree: 123 kB`.
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

uint64_t required_kib(const std::string& path, std::string_view text, std::string_view key) {
    const auto value = find_kib(text, key);
    if (!value) {
        throw Error(ErrorCode::internal, "no {} in '{}'", key, path);
    }
    return *value;
}

} // namespace

uint64_t free_memory_bytes(const std::string& prefix) {
    const std::string path = prefix + "/proc/meminfo";
    return required_kib(path, read_file(path), "MemFree") * 1024;
}

std::map<std::string, uint64_t> memory_stats_kib(const std::string& prefix, int cell) {
    if (cell == all_cells) {
        const std::string path = prefix + "/proc/meminfo";
        const std::string text = read_file(path);
        return {{"total", required_kib(path, text, "MemTotal")},
                {"free", required_kib(path, text, "MemFree")},
                {"buffers", required_kib(path, text, "Buffers")},
                {"cached", required_kib(path, text, "Cached")}};
    }
    const std::string path = fmt::format("{}/sys/devices/system/node/node{}/meminfo", prefix, cell);
    const auto text = cell < 0 ? std::nullopt : read_file_if_exists(path);
    if (!text) {
        throw Error(ErrorCode::invalid_arg,
                    "no NUMA cell {} on this host; -1 stands for all cells together",
                    cell);
    }
    return {{"total", required_kib(path, *text, "MemTotal")},
            {"free", required_kib(path, *text, "MemFree")}};
}

} // namespace vireo::storage
