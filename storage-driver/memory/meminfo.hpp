// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vireo::storage {

/// The number behind `key:` in lines as `MemFree:  123 kB` or `Node 0 MemFree: 123 kB`.
/// Source: proc(5).
std::optional<uint64_t> find_kib(std::string_view text, std::string_view key);

} // namespace vireo::storage
