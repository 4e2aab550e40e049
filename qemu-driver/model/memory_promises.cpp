// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_promises.hpp"

#include "libshared/sysfs.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>
#include <map>

namespace vireo::qemu {

namespace {

/// A piece of the guest's memory that one rule of placement is for.
struct Piece {
    std::vector<int32_t> cells; // in equal parts
    MemoryPromise amounts;
};

std::vector<int32_t> cells_of(const std::string& nodeset, NumaMode mode) {
    const std::vector<uint32_t> nodes = numbers_in(nodeset);
    if (nodes.empty() || (nodes.size() > 1 && mode != NumaMode::interleave)) {
        return {any_cell};
    }
    return {nodes.begin(), nodes.end()};
}

/// Where memory of the guest's NUMA cell `cell` comes from.
std::vector<int32_t> cells_for(const DomainDef& def, std::optional<uint32_t> cell) {
    if (!def.numatune) {
        return {any_cell};
    }
    for (const NumaMemnode& node : def.numatune->memnodes) {
        if (cell == node.cell) {
            return cells_of(node.nodeset, node.mode);
        }
    }
    const auto& memory = def.numatune->memory;
    if (!memory || !memory->nodeset) {
        return {any_cell};
    }
    return cells_of(*memory->nodeset, memory->mode.value_or(NumaMode::strict));
}

std::vector<int32_t> cells_for(const DomainDef& def, const MemoryDeviceDef& memory) {
    if (memory.source && memory.source->nodemask) {
        const bool tuned = def.numatune && def.numatune->memory && def.numatune->memory->mode;
        return cells_of(*memory.source->nodemask,
                        tuned ? *def.numatune->memory->mode : NumaMode::strict);
    }
    return cells_for(def, memory.node);
}

/// What `part` of `all` is of `whole`; bytes, which a double counts exactly up to 8 PiB.
uint64_t share_of(uint64_t whole, uint64_t part, uint64_t all) {
    if (part >= all) {
        return whole;
    }
    return static_cast<uint64_t>(static_cast<double>(whole) * static_cast<double>(part) /
                                 static_cast<double>(all));
}

/// The balloon works in all memory but that of virtio-mem.
struct Balloon {
    uint64_t fixed;
    uint64_t holds;          // at the moment
    uint64_t wanted;         // that it is asked to hold
    uint64_t shared_out = 0; // of `fixed`
};

Balloon balloon_of(const DomainDef& live, std::optional<uint64_t> target_kib) {
    const uint64_t fixed = fixed_memory_kib(live);
    const uint64_t has = live.memory.current_kib.value_or(live.memory.total_kib);
    const uint64_t left = std::min(fixed, has - std::min(has, virtio_mem_kib(live)));
    const uint64_t target = std::min(fixed, target_kib.value_or(left));
    return {
        fixed * bytes_per_kib, (fixed - left) * bytes_per_kib, (fixed - target) * bytes_per_kib};
}

/// The balloon's part in each piece is such that all parts together are what it holds.
MemoryPromise fixed_amounts(uint64_t kib, Balloon& balloon) {
    const uint64_t size = kib * bytes_per_kib;
    const uint64_t start = balloon.shared_out;
    balloon.shared_out += size;
    const auto part = [&](uint64_t whole) {
        return share_of(whole, start + size, balloon.fixed) - share_of(whole, start, balloon.fixed);
    };
    const uint64_t held = part(balloon.holds);
    return {.cell = any_cell,
            .size = size,
            .requested = size - part(balloon.wanted),
            .current = size - held,
            .balloon = held,
            .locked = 0};
}

std::vector<Piece> pieces_of(const DomainDef& live, Balloon balloon) {
    std::vector<Piece> pieces;
    uint64_t initial = initial_memory_kib(live);
    if (live.cpu) {
        for (const NumaCell& cell : live.cpu->cells) {
            const uint64_t kib = std::min(initial, cell.memory_kib);
            initial -= kib;
            pieces.push_back({cells_for(live, cell.id), fixed_amounts(kib, balloon)});
        }
    }
    pieces.push_back({cells_for(live, std::nullopt), fixed_amounts(initial, balloon)});
    for (const MemoryDeviceDef& memory : live.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            pieces.push_back({cells_for(live, memory),
                              {.cell = any_cell,
                               .size = memory.size_kib * bytes_per_kib,
                               .requested = memory.requested_kib.value_or(0) * bytes_per_kib,
                               .current = plugged_kib(memory) * bytes_per_kib,
                               .balloon = 0,
                               .locked = 0}});
        } else {
            pieces.push_back({cells_for(live, memory), fixed_amounts(memory.size_kib, balloon)});
        }
    }
    return pieces;
}

void add_part(MemoryPromise& row, const MemoryPromise& piece, size_t place, size_t parts) {
    const auto part = [&](uint64_t amount) {
        return amount / parts + (place == 0 ? amount % parts : 0);
    };
    row.size += part(piece.size);
    row.requested += part(piece.requested);
    row.current += part(piece.current);
    row.balloon += part(piece.balloon);
}

} // namespace

std::vector<MemoryPromise>
memory_promises(const DomainDef& live, std::optional<uint64_t> balloon_target_kib, bool pinned) {
    std::map<int32_t, MemoryPromise> rows;
    for (const Piece& piece : pieces_of(live, balloon_of(live, balloon_target_kib))) {
        for (size_t i = 0; i < piece.cells.size(); ++i) {
            MemoryPromise& row = rows[piece.cells[i]];
            row.cell = piece.cells[i];
            add_part(row, piece.amounts, i, piece.cells.size());
        }
    }
    std::vector<MemoryPromise> promises;
    for (auto& [cell, row] : rows) {
        if (row.size > 0) {
            // A balloon frees nothing that is pinned.
            row.locked = pinned ? row.current + row.balloon : 0;
            promises.push_back(row);
        }
    }
    return promises;
}

} // namespace vireo::qemu
