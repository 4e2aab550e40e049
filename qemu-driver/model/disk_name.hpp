// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vireo::qemu {

/// The number of a target's name: 0 for vda, 26 for sdaa; nothing if it is not such a name.
std::optional<uint32_t> disk_index(std::string_view target);

} // namespace vireo::qemu
