// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/host_memory.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "storage-driver/memory/meminfo.hpp"

#include <fmt/format.h>

#include <optional>
#include <string_view>

namespace vireo::storage {

namespace {

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
