// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/memory/memory_cells.hpp"

#include "libshared/error.hpp"
#include "storage-driver/memory/meminfo.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vireo::storage {

namespace {

constexpr std::string_view nodes = "/sys/devices/system/node";
constexpr std::string_view host_pools = "/sys/kernel/mm/hugepages";
constexpr std::string_view pool_prefix = "hugepages-";
constexpr uint64_t kib = 1024;
constexpr size_t meminfo_limit = 64 * 1024;

std::string node_folder(uint32_t cell) {
    return fmt::format("{}/node{}", nodes, cell);
}

std::string pool_folder(std::optional<uint32_t> cell, uint64_t page_size) {
    return fmt::format("{}/{}{}kB",
                       cell ? node_folder(*cell) + "/hugepages" : std::string(host_pools),
                       pool_prefix,
                       page_size / kib);
}

/// Sizes in bytes of the pools `hugepages-2048kB` in a folder, ascending.
std::vector<uint64_t> page_sizes(const Sysfs& host, const std::string& folder) {
    std::vector<uint64_t> sizes;
    for (const std::string& name : host.names(folder)) {
        if (name.starts_with(pool_prefix) && name.ends_with("kB")) {
            const auto size = parse_number(
                name.substr(pool_prefix.size(), name.size() - pool_prefix.size() - 2), 10);
            if (size && *size > 0) {
                sizes.push_back(static_cast<uint64_t>(*size) * kib);
            }
        }
    }
    std::ranges::sort(sizes);
    return sizes;
}

uint64_t count_in(const Sysfs& host, const std::string& folder, std::string_view file) {
    const auto value = host.number(fmt::format("{}/{}", folder, file), 10);
    return value && *value > 0 ? static_cast<uint64_t>(*value) : 0;
}

/// The cells' numbers; 0 for a kernel that knows none.
std::vector<uint32_t> cell_numbers(const Sysfs& host) {
    auto numbers = host.numbered(nodes, "node");
    if (numbers.empty()) {
        numbers.push_back(0);
    }
    return numbers;
}

bool knows_cells(const Sysfs& host) {
    return host.exists(fmt::format("{}/node0", nodes)) || !host.numbered(nodes, "node").empty();
}

void add_pools(const Sysfs& host,
               uint32_t cell,
               std::optional<uint32_t> folder_of,
               std::vector<HugePagePool>& pools) {
    const std::string parent =
        folder_of ? node_folder(*folder_of) + "/hugepages" : std::string(host_pools);
    for (const uint64_t size : page_sizes(host, parent)) {
        const std::string folder = pool_folder(folder_of, size);
        pools.push_back({.cell = cell,
                         .page_size = size,
                         .total = count_in(host, folder, "nr_hugepages"),
                         .free = count_in(host, folder, "free_hugepages"),
                         .surplus = count_in(host, folder, "surplus_hugepages")});
    }
}

void require_pool(const Sysfs& host, std::optional<uint32_t> cell, uint64_t page_size) {
    const bool known = knows_cells(host);
    if (cell && (known ? !host.exists(node_folder(*cell)) : *cell != 0)) {
        throw Error(ErrorCode::invalid_arg,
                    "no NUMA cell {} on this host; it has {}",
                    *cell,
                    fmt::join(cell_numbers(host), ", "));
    }
    const auto sizes = page_sizes(
        host, cell && known ? node_folder(*cell) + "/hugepages" : std::string(host_pools));
    if (std::ranges::find(sizes, page_size) == sizes.end()) {
        throw Error(ErrorCode::invalid_arg,
                    "no huge pages of {} bytes on this host; it has {}",
                    page_size,
                    sizes.empty() ? "none" : fmt::format("{} bytes", fmt::join(sizes, ", ")));
    }
}

} // namespace

std::vector<MemoryCell> memory_cells(const Sysfs& host) {
    std::vector<MemoryCell> cells;
    for (const uint32_t number : cell_numbers(host)) {
        const std::string path =
            knows_cells(host) ? node_folder(number) + "/meminfo" : std::string("/proc/meminfo");
        const std::string text = host.bytes(path, meminfo_limit);
        const uint64_t total = find_kib(text, "MemTotal").value_or(0);
        if (total > 0) {
            cells.push_back({number, total * kib, find_kib(text, "MemFree").value_or(0) * kib});
        }
    }
    return cells;
}

std::vector<HugePagePool> huge_page_pools(const Sysfs& host) {
    std::vector<HugePagePool> pools;
    if (!knows_cells(host)) {
        add_pools(host, 0, std::nullopt, pools);
        return pools;
    }
    for (const uint32_t number : cell_numbers(host)) {
        add_pools(host, number, number, pools);
    }
    return pools;
}

std::map<uint64_t, uint64_t> reserved_huge_pages(const Sysfs& host) {
    std::map<uint64_t, uint64_t> reserved;
    for (const uint64_t size : page_sizes(host, std::string(host_pools))) {
        reserved[size] = count_in(host, pool_folder(std::nullopt, size), "resv_hugepages");
    }
    return reserved;
}

PoolChange change_huge_pages(const Sysfs& host,
                             std::optional<uint32_t> cell,
                             uint64_t page_size,
                             uint64_t pages,
                             PageChange change) {
    require_pool(host, cell, page_size);
    const std::string folder = pool_folder(knows_cells(host) ? cell : std::nullopt, page_size);
    // What is asked for counts without the surplus, which the kernel adds by itself.
    const uint64_t before = count_in(host, folder, "nr_hugepages");
    const uint64_t surplus = count_in(host, folder, "surplus_hugepages");
    const uint64_t own = before - std::min(before, surplus);
    constexpr uint64_t most = INT64_MAX;
    if (pages > most - own) {
        throw Error(ErrorCode::invalid_arg,
                    "{} huge pages of {} bytes are more than any host has",
                    pages,
                    page_size);
    }
    const uint64_t wanted = change == PageChange::add ? own + pages : pages;
    host.write(folder + "/nr_hugepages", fmt::format("{}\n", wanted));
    return {before, count_in(host, folder, "nr_hugepages")};
}

} // namespace vireo::storage
