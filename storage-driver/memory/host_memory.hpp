// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

/// The host's memory as the kernel tells it. `prefix` is empty on a real host and a tree made by
/// the test otherwise.
namespace vireo::storage {

/// All NUMA cells together: virNodeGetMemoryStats' VIR_NODE_MEMORY_STATS_ALL_CELLS.
inline constexpr int all_cells = -1;

/// Bytes that nothing uses at all. Source: MemFree of proc(5)'s meminfo.
uint64_t free_memory_bytes(const std::string& prefix);

/// `total` and `free` of one NUMA cell, and `buffers` and `cached` too for all_cells; KiB.
/// Throws invalid_arg for a cell that the host does not have.
std::map<std::string, uint64_t> memory_stats_kib(const std::string& prefix, int cell);

} // namespace vireo::storage
