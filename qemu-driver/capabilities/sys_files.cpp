// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/sys_files.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

namespace vireo::qemu {

namespace {

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

} // namespace

std::optional<std::string> read_sys(const std::filesystem::path& path) {
    std::ifstream file(path);
    if (!file) {
        return std::nullopt;
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) {
        return std::string();
    }
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<uint64_t> read_sys_number(const std::filesystem::path& file) {
    const auto text = read_sys(file);
    return text ? number(*text) : std::nullopt;
}

std::vector<uint32_t> numbers_in(std::string_view list) {
    constexpr uint64_t most = 65536; // CPUs or nodes: far more than Linux knows
    std::vector<uint32_t> numbers;
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto part = list.substr(0, comma);
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        const auto dash = part.find('-');
        const auto first = number(part.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first : number(part.substr(dash + 1));
        if (!first || !last || *last >= most) {
            return {};
        }
        for (uint64_t n = *first; n <= *last; ++n) {
            numbers.push_back(static_cast<uint32_t>(n));
        }
    }
    return numbers;
}

std::vector<uint32_t> numbered_entries(const std::filesystem::path& dir, std::string_view prefix) {
    std::vector<uint32_t> numbers;
    std::error_code unreadable; // then there are none
    for (const auto& entry : std::filesystem::directory_iterator(dir, unreadable)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) {
            continue;
        }
        if (const auto n = number(std::string_view(name).substr(prefix.size()))) {
            numbers.push_back(static_cast<uint32_t>(*n));
        }
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

} // namespace vireo::qemu
