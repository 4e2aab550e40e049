// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_pages.hpp"

#include "libshared/sysfs.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

/// Where the document asks for huge pages of no size and the host says nothing of its own.
constexpr uint64_t usual_huge_page_kib = 2048;

uint64_t default_huge_page_kib(const HostFacts& facts) {
    const auto found = std::ranges::find_if(facts.huge_pages, &HugePageMount::is_default);
    return found == facts.huge_pages.end() ? usual_huge_page_kib : found->size_kib;
}

uint64_t page_kib_of(const DomainDef& def, std::optional<uint32_t> cell, const HostFacts& facts) {
    const auto wish = huge_pages_of(def, cell);
    return wish ? wish->size_kib.value_or(default_huge_page_kib(facts)) : facts.page_kib;
}

/// Only `strict` leaves no other node: the kernel falls back to others for the rest.
std::optional<std::string>
strict_nodes(const DomainDef& def, std::optional<uint32_t> cell, const std::string& own) {
    const auto& tune = def.numatune;
    const bool tuned = tune && tune->memory;
    const NumaMode mode = tuned ? tune->memory->mode.value_or(NumaMode::strict) : NumaMode::strict;
    if (!own.empty()) {
        return mode == NumaMode::strict ? std::optional(own) : std::nullopt;
    }
    if (!tune) {
        return std::nullopt;
    }
    for (const NumaMemnode& node : tune->memnodes) {
        if (cell == node.cell) {
            return node.mode == NumaMode::strict ? std::optional(node.nodeset) : std::nullopt;
        }
    }
    return tuned && mode == NumaMode::strict ? tune->memory->nodeset : std::nullopt;
}

bool is_taken_at_start(const MemoryDeviceDef& memory) {
    return memory.model == MemoryDeviceModel::dimm && !(memory.source && memory.source->path);
}

} // namespace

std::optional<HugePageWish> huge_pages_of(const DomainDef& def, std::optional<uint32_t> cell) {
    if (!def.memory_backing || !def.memory_backing->hugepages) {
        return std::nullopt;
    }
    const auto& pages = def.memory_backing->hugepages->pages;
    const HugePage* chosen = nullptr;
    for (const HugePage& page : pages) {
        const bool own =
            page.nodeset && cell && std::ranges::count(numbers_in(*page.nodeset), *cell) != 0;
        if (own) {
            chosen = &page;
            break;
        }
        if (!page.nodeset && chosen == nullptr) {
            chosen = &page;
        }
    }
    if (chosen == nullptr) {
        return pages.empty() ? std::optional<HugePageWish>(HugePageWish{}) : std::nullopt;
    }
    if (chosen->size_kib == ordinary_page_kib) {
        return std::nullopt;
    }
    return HugePageWish{chosen->size_kib, chosen->nodeset.has_value()};
}

uint64_t
backing_page_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts) {
    if (memory.source && memory.source->page_size_kib) {
        return *memory.source->page_size_kib;
    }
    return memory.source && memory.source->path ? facts.page_kib
                                                : page_kib_of(def, memory.node, facts);
}

uint64_t block_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts) {
    return memory.block_kib.value_or(
        std::max(facts.huge_pmd_kib, backing_page_kib(def, memory, facts)));
}

std::vector<StartMemory> start_memory(const DomainDef& def, const HostFacts& facts) {
    std::vector<StartMemory> pieces;
    const xml::Where where = def.memory_backing ? def.memory_backing->where : def.where;
    if (!def.cpu || def.cpu->cells.empty()) {
        pieces.push_back({"the guest",
                          initial_memory_kib(def),
                          page_kib_of(def, std::nullopt, facts),
                          strict_nodes(def, std::nullopt, {}),
                          where});
    } else {
        for (const NumaCell& cell : def.cpu->cells) {
            pieces.push_back({fmt::format("NUMA cell {}", cell.id.value_or(0)),
                              cell.memory_kib,
                              page_kib_of(def, cell.id, facts),
                              strict_nodes(def, cell.id, {}),
                              where});
        }
    }
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        if (is_taken_at_start(memory)) {
            const std::string own =
                memory.source ? memory.source->nodemask.value_or("") : std::string();
            pieces.push_back({fmt::format("memory device '{}'", memory.info.alias.value_or("")),
                              memory.size_kib,
                              backing_page_kib(def, memory, facts),
                              strict_nodes(def, memory.node, own),
                              memory.info.where});
        }
    }
    return pieces;
}

} // namespace vireo::qemu
