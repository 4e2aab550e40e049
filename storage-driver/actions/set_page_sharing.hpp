// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vireo::storage::actions {

using PageSharingValues = std::vector<std::pair<std::string, uint64_t>>;

/// Sets them in order; all names and values are checked before the first is set, the kernel may
/// still refuse a later one. Errors: see memory/page_sharing.hpp.
Task<void> set_page_sharing(Loop& loop, std::string host, PageSharingValues values);

} // namespace vireo::storage::actions
