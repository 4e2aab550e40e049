// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

/// The text of a small file of /proc or /sys without white space around it; nothing when it cannot
/// be read.
std::optional<std::string> read_sys(const std::filesystem::path& file);
std::optional<uint64_t> read_sys_number(const std::filesystem::path& file);

/// The numbers of a list like "0-3,8"; what is no such list gives none.
std::vector<uint32_t> numbers_in(std::string_view list);

/// The numbers N of the entries `prefix`N in a folder, in order.
std::vector<uint32_t> numbered_entries(const std::filesystem::path& dir, std::string_view prefix);

} // namespace vireo::qemu
