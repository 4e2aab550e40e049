// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

/// The host's NUMA cells and their pools of huge pages, in bytes and pages, as the kernel tells
/// them. A kernel without NUMA has one cell, 0.
/// Source: the kernel's Documentation/admin-guide/mm/hugetlbpage.rst.
namespace vireo::storage {

struct MemoryCell {
    uint32_t number{};
    uint64_t total{};
    uint64_t free{};

    bool operator==(const MemoryCell&) const = default;
};

/// In the order of their numbers; cells without memory are left out.
std::vector<MemoryCell> memory_cells(const Sysfs& host);

/// What a cell has of huge pages of one size.
struct HugePagePool {
    uint32_t cell{};
    uint64_t page_size{}; // bytes
    uint64_t total{};     // pages; `surplus` among them
    uint64_t free{};
    uint64_t surplus{}; // beyond what was asked for: they go when they are given back

    bool operator==(const HugePagePool&) const = default;
};

/// By cell, then by page size.
std::vector<HugePagePool> huge_page_pools(const Sysfs& host);

/// Pages that are promised and not yet taken, by page size. The kernel counts them for the host as
/// a whole.
std::map<uint64_t, uint64_t> reserved_huge_pages(const Sysfs& host);

/// How a pool changes.
enum class PageChange { set, add };

/// What became of it, in pages.
struct PoolChange {
    uint64_t before{};
    uint64_t total{};
};

/// Asks the kernel for `pages` huge pages in the pool of one cell, or where `cell` is absent in
/// that of the host, whose cells then get equal parts. The kernel moves memory about for them and
/// may take long, and it may find fewer: `total` says how many there are. For a worker thread.
/// Throws invalid_arg for a cell or a page size that the host does not have, and where more are
/// wanted than a number can say; system_error where the kernel refuses.
PoolChange change_huge_pages(const Sysfs& host,
                             std::optional<uint32_t> cell,
                             uint64_t page_size,
                             uint64_t pages,
                             PageChange change);

} // namespace vireo::storage
