// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/policy/memory_load.hpp"

#include <array>

namespace vireo::storage {

std::string_view name_of(GuestCondition condition) {
    constexpr std::array<std::string_view, 8> names{
        "settled", "wanting", "growing", "shrinking", "silent", "fixed", "keeping", "refusing"};
    return names[static_cast<size_t>(condition)];
}

} // namespace vireo::storage
