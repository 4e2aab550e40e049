// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "storage-driver/memory/memory_cells.hpp"

#include <string>

namespace vireo::storage::actions {

/// change_huge_pages() off the loop, and a log line of what became of it. `cell` -1 is the host,
/// `how` is "set" or "add". Throws invalid_arg for another, or for another negative cell.
Task<PoolChange> allocate_pages(
    Loop& loop, Sysfs host, int32_t cell, uint64_t page_size, uint64_t pages, std::string how);

} // namespace vireo::storage::actions
