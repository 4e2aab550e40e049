// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/huge_pages.hpp"

#include "qemu-driver/model/memory_pages.hpp"
#include "qemu-driver/model/problem.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

namespace vireo::qemu {

namespace {

constexpr const char* pools = "/sys/kernel/mm/hugepages";
constexpr size_t most_mounts = size_t{1} << 24;

/// The sizes in KiB: `hugepages-2048kB`.
std::vector<uint64_t> page_sizes(const Sysfs& host) {
    constexpr std::string_view prefix = "hugepages-";
    std::vector<uint64_t> sizes;
    for (const std::string& name : host.names(pools)) {
        uint64_t size = 0;
        const char* const begin = name.data() + prefix.size();
        if (name.starts_with(prefix) &&
            std::from_chars(begin, name.data() + name.size(), size).ec == std::errc()) {
            sizes.push_back(size);
        }
    }
    std::ranges::sort(sizes);
    return sizes;
}

/// `rw,relatime,pagesize=1024M` in KiB; the default where it says nothing.
uint64_t page_size_of_mount(const std::string& options, uint64_t default_kib) {
    constexpr std::string_view key = "pagesize=";
    const auto at = options.find(key);
    if (at == std::string::npos) {
        return default_kib;
    }
    uint64_t number = 0;
    const char* const begin = options.data() + at + key.size();
    const char* const end = options.data() + options.size();
    const auto [unit, failure] = std::from_chars(begin, end, number);
    switch (unit == end ? '\0' : *unit) {
    case 'G':
        return number * 1024 * 1024;
    case 'M':
        return number * 1024;
    case 'K':
    case 'k':
        return number;
    default:
        return number / 1024;
    }
}

/// Blanks are written as `\040` and the like. Source: getmntent(3).
std::string unescaped(const std::string& path) {
    std::string plain;
    for (size_t i = 0; i < path.size(); ++i) {
        if (path[i] == '\\' && i + 3 < path.size()) {
            plain += static_cast<char>(std::stoi(path.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            plain += path[i];
        }
    }
    return plain;
}

/// By page size, the first one of each.
std::map<uint64_t, std::string> mounts(const Sysfs& host, uint64_t default_kib) {
    std::map<uint64_t, std::string> found;
    std::istringstream lines(host.bytes("/proc/mounts", most_mounts));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string source, path, type, options;
        words >> source >> path >> type >> options;
        if (type == "hugetlbfs") {
            found.emplace(page_size_of_mount(options, default_kib), unescaped(path));
        }
    }
    return found;
}

uint64_t number_in(const Sysfs& host, const std::string& path) {
    return static_cast<uint64_t>(std::max<int64_t>(host.number(path).value_or(0), 0));
}

std::string pool_of(uint64_t page_kib) {
    return fmt::format("hugepages-{}kB", page_kib);
}

/// Pages that the kernel may still make when they are asked for.
uint64_t surplus_left(const Sysfs& host, uint64_t page_kib) {
    const std::string pool = fmt::format("{}/{}", pools, pool_of(page_kib));
    const uint64_t most = number_in(host, pool + "/nr_overcommit_hugepages");
    return most - std::min(most, number_in(host, pool + "/surplus_hugepages"));
}

uint64_t free_pages(const Sysfs& host, uint64_t page_kib) {
    const std::string pool = fmt::format("{}/{}", pools, pool_of(page_kib));
    const uint64_t free = number_in(host, pool + "/free_hugepages");
    return free - std::min(free, number_in(host, pool + "/resv_hugepages")) +
           surplus_left(host, page_kib);
}

uint64_t free_pages_on(const Sysfs& host, uint64_t page_kib, const std::string& nodes) {
    uint64_t free = surplus_left(host, page_kib);
    for (const uint32_t node : numbers_in(nodes)) {
        free += number_in(host,
                          fmt::format("/sys/devices/system/node/node{}/hugepages/{}/free_hugepages",
                                      node,
                                      pool_of(page_kib)));
    }
    return free;
}

struct Wanted {
    uint64_t pages = 0;
    std::vector<std::string> by;
    xml::Where where;
};

[[noreturn]] void
refuse_for_want(const Wanted& wanted, uint64_t page_kib, uint64_t free, const std::string& nodes) {
    const std::string place = nodes.empty() ? "" : fmt::format(" on the host's nodes {}", nodes);
    refuse(
        wanted.where,
        "memoryBacking",
        "{} huge pages of {} KiB are wanted{} ({}) and {} are free; make more "
        "(org.vireo.HostMemory1.AllocatePages, or nr_hugepages in {}/{}), or give the guest less "
        "memory",
        wanted.pages,
        page_kib,
        place,
        fmt::join(wanted.by, ", "),
        free,
        pools,
        pool_of(page_kib));
}

} // namespace

uint64_t default_huge_page_kib(const Sysfs& host) {
    std::istringstream lines(host.bytes("/proc/meminfo", size_t{1} << 16));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string key;
        uint64_t kib = 0;
        if (words >> key >> kib && key == "Hugepagesize:") {
            return kib;
        }
    }
    return 0;
}

std::vector<HugePageDir> huge_page_dirs(const Sysfs& host, const std::string& guest) {
    const uint64_t default_kib = default_huge_page_kib(host);
    const auto mounted = mounts(host, default_kib);
    std::vector<HugePageDir> dirs;
    for (const uint64_t size : page_sizes(host)) {
        const auto mount = mounted.find(size);
        dirs.push_back(
            {size,
             mount == mounted.end() ? "" : fmt::format("{}/vireo/qemu/{}", mount->second, guest),
             size == default_kib});
    }
    return dirs;
}

void require_huge_pages(const DomainDef& def, const HostFacts& facts, const Sysfs& host) {
    std::map<uint64_t, Wanted> all;
    std::map<std::pair<uint64_t, std::string>, Wanted> on_nodes;
    const auto add = [](Wanted& wanted, const StartMemory& piece) {
        wanted.pages += (piece.size_kib + piece.page_kib - 1) / piece.page_kib;
        wanted.by.push_back(piece.what);
        wanted.where = piece.where;
    };
    const std::vector<uint64_t> sizes = page_sizes(host);
    for (const StartMemory& piece : start_memory(def, facts)) {
        if (piece.page_kib == facts.page_kib) {
            continue;
        }
        if (std::ranges::find(sizes, piece.page_kib) == sizes.end()) {
            refuse(piece.where,
                   "memoryBacking",
                   "the host has no huge pages of {} KiB, which {} is to lie on; it has those of "
                   "{} KiB",
                   piece.page_kib,
                   piece.what,
                   fmt::join(sizes, ", "));
        }
        add(all[piece.page_kib], piece);
        if (piece.nodes) {
            add(on_nodes[{piece.page_kib, *piece.nodes}], piece);
        }
    }
    for (const auto& [page_kib, wanted] : all) {
        if (const uint64_t free = free_pages(host, page_kib); free < wanted.pages) {
            refuse_for_want(wanted, page_kib, free, {});
        }
    }
    for (const auto& [place, wanted] : on_nodes) {
        const auto& [page_kib, nodes] = place;
        if (const uint64_t free = free_pages_on(host, page_kib, nodes); free < wanted.pages) {
            refuse_for_want(wanted, page_kib, free, nodes);
        }
    }
}

} // namespace vireo::qemu
