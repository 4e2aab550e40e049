// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

/// The parts of a list like "0-3,8".
std::vector<std::string> split_ranges(std::string_view ranges);

/// True when the list holds `id`. Throws config_unsupported when it is no such list.
bool ranges_contain(std::string_view ranges, uint32_t id);

} // namespace vireo::qemu
