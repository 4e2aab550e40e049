// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memory_devices.hpp"

#include "libshared/error.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

bool same_address(const Address& known, const Address& wanted) {
    if (const auto* pci = std::get_if<PciAddress>(&wanted)) {
        const auto* other = std::get_if<PciAddress>(&known);
        return other != nullptr && same_place(*pci, *other);
    }
    if (const auto* dimm = std::get_if<DimmAddress>(&wanted)) {
        const auto* other = std::get_if<DimmAddress>(&known);
        return other != nullptr && other->slot == dimm->slot;
    }
    return false;
}

/// It says where: `<address type='pci'/>` alone does not.
bool is_address(const Address& address) {
    if (const auto* pci = std::get_if<PciAddress>(&address)) {
        return pci->is_set();
    }
    const auto* dimm = std::get_if<DimmAddress>(&address);
    return dimm != nullptr && dimm->slot.has_value();
}

bool is_alike(const MemoryDeviceDef& known, const MemoryDeviceDef& wanted) {
    return known.model == wanted.model && known.size_kib == wanted.size_kib &&
           (!wanted.node || known.node == wanted.node) &&
           (!wanted.block_kib || known.block_kib == wanted.block_kib);
}

std::vector<std::size_t> matching(const DomainDef& def, const MemoryDeviceDef& wanted) {
    const auto places_where = [&](auto fits) {
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < def.devices.memories.size(); ++i) {
            if (fits(def.devices.memories[i])) {
                places.push_back(i);
            }
        }
        return places;
    };
    if (wanted.info.alias) {
        auto named = places_where(
            [&](const MemoryDeviceDef& known) { return known.info.alias == wanted.info.alias; });
        // A stored definition does not have the daemon's own aliases.
        if (!named.empty() || def.id || !is_address(wanted.info.address)) {
            return named;
        }
    }
    if (is_address(wanted.info.address)) {
        return places_where([&](const MemoryDeviceDef& known) {
            return same_address(known.info.address, wanted.info.address);
        });
    }
    return places_where([&](const MemoryDeviceDef& known) { return is_alike(known, wanted); });
}

uint64_t rounded_up(uint64_t kib, uint64_t unit_kib) {
    return (kib + unit_kib - 1) / unit_kib * unit_kib;
}

struct Node {
    std::vector<MemoryShare*> shares;
};

uint64_t room_of(const MemoryShare* share) {
    return share->size_kib - share->requested_kib;
}

uint64_t room_of(const Node& node) {
    uint64_t room = 0;
    for (const MemoryShare* share : node.shares) {
        room += room_of(share);
    }
    return room;
}

/// Divides `amount` between takers as evenly as their room allows; `give(taker, part)` says how
/// much of the part was taken. Ends when a round moves nothing. Gives what is left.
template <class Takers, class Give>
uint64_t divide(Takers& takers, uint64_t amount, Give give) {
    for (bool moved = true; moved && amount > 0;) {
        moved = false;
        auto left = static_cast<uint64_t>(
            std::ranges::count_if(takers, [](const auto& taker) { return room_of(taker) > 0; }));
        for (auto& taker : takers) {
            if (room_of(taker) == 0) {
                continue;
            }
            const uint64_t taken = give(taker, amount / left--);
            moved |= taken > 0;
            amount -= taken;
        }
    }
    return amount;
}

uint64_t give_device(MemoryShare* share, uint64_t part) {
    const uint64_t taken = std::min(part, room_of(share)) / share->block_kib * share->block_kib;
    share->requested_kib += taken;
    return taken;
}

uint64_t give_node(Node& node, uint64_t part) {
    const uint64_t offered = std::min(part, room_of(node));
    return offered - divide(node.shares, offered, give_device);
}

} // namespace

uint64_t plugged_kib(const MemoryDeviceDef& memory) {
    return memory.model == MemoryDeviceModel::virtio_mem ? memory.current_kib.value_or(0)
                                                         : memory.size_kib;
}

uint64_t fixed_memory_kib(const DomainDef& def) {
    uint64_t fixed = def.memory.total_kib;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        if (memory.model != MemoryDeviceModel::dimm) {
            fixed -= std::min(fixed, memory.size_kib);
        }
    }
    return fixed;
}

uint64_t balloon_target_kib(const DomainDef& live, uint64_t kib) {
    const uint64_t plugged = virtio_mem_kib(live);
    if (kib < plugged) {
        throw Error(ErrorCode::invalid_arg,
                    "{} KiB are less than the guest has of its virtio-mem devices, {} KiB, which a "
                    "balloon does not take back; request less of these first, or set both by "
                    "SetMemoryTarget of org.vireo.Domain1",
                    kib,
                    plugged);
    }
    uint64_t most = live.memory.total_kib;
    for (const MemoryDeviceDef& memory : live.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            most -= std::min(most, memory.size_kib);
        }
    }
    if (kib - plugged > most) {
        throw Error(ErrorCode::invalid_arg,
                    "{} KiB are more than the guest can have without more of its virtio-mem "
                    "devices, {} KiB; request more of these, or set both by SetMemoryTarget of "
                    "org.vireo.Domain1",
                    kib,
                    most + plugged);
    }
    return std::min(kib - plugged, fixed_memory_kib(live));
}

uint64_t initial_memory_kib(const DomainDef& def) {
    uint64_t initial = def.memory.total_kib;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        initial -= std::min(initial, memory.size_kib);
    }
    return initial;
}

uint64_t virtio_mem_kib(const DomainDef& def) {
    uint64_t plugged = 0;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            plugged += plugged_kib(memory);
        }
    }
    return plugged;
}

uint64_t initial_balloon_kib(const DomainDef& def) {
    uint64_t wanted = def.memory.current_kib.value_or(def.memory.total_kib);
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            wanted -= std::min(wanted, memory.requested_kib.value_or(0));
        }
    }
    return std::min(wanted, fixed_memory_kib(def));
}

void align_memory(MemoryDeviceDef& memory) {
    constexpr uint64_t large_page_kib = 2048;
    memory.size_kib = rounded_up(memory.size_kib, large_page_kib);
}

void align_memory(DomainDef& def) {
    constexpr uint64_t mib_kib = 1024;
    MemoryDef& amounts = def.memory;
    const bool has_all = amounts.current_kib == amounts.total_kib;
    uint64_t initial = 0;
    if (def.cpu) {
        for (NumaCell& cell : def.cpu->cells) {
            cell.memory_kib = rounded_up(cell.memory_kib, mib_kib);
            initial += cell.memory_kib;
        }
    }
    amounts.total_kib = initial == 0 ? rounded_up(initial_memory_kib(def), mib_kib) : initial;
    for (MemoryDeviceDef& memory : def.devices.memories) {
        align_memory(memory);
        amounts.total_kib += memory.size_kib;
    }
    if (amounts.max) {
        amounts.max->kib = rounded_up(amounts.max->kib, mib_kib);
    }
    if (has_all) {
        amounts.current_kib = amounts.total_kib;
    }
}

void add_memory_device(DomainDef& def, MemoryDeviceDef memory) {
    MemoryDef& amounts = def.memory;
    // In a definition a guest that is to have all its memory is to have this too; what a running
    // guest has, only its devices and its balloon say.
    if (!def.id && amounts.current_kib == amounts.total_kib) {
        *amounts.current_kib += memory.size_kib;
    }
    amounts.total_kib += memory.size_kib;
    def.devices.memories.push_back(std::move(memory));
}

void remove_memory_device(DomainDef& def, std::size_t place) {
    auto& memories = def.devices.memories;
    const MemoryDeviceDef& memory = memories[place];
    MemoryDef& amounts = def.memory;
    if (def.id && amounts.current_kib) {
        *amounts.current_kib -= std::min(*amounts.current_kib, plugged_kib(memory));
    }
    amounts.total_kib -= std::min(amounts.total_kib, memory.size_kib);
    if (amounts.current_kib) {
        amounts.current_kib = std::min(*amounts.current_kib, amounts.total_kib);
    }
    memories.erase(memories.begin() + static_cast<std::ptrdiff_t>(place));
}

std::size_t find_memory_device(const DomainDef& def, const MemoryDeviceDef& wanted) {
    const std::vector<std::size_t> places = matching(def, wanted);
    const char* where = def.id ? "the running guest" : "the definition";
    if (places.empty()) {
        throw Error(ErrorCode::device_missing,
                    "{} has no memory device with {}",
                    where,
                    wanted.info.alias ? fmt::format("alias '{}'", *wanted.info.alias)
                    : is_address(wanted.info.address)
                        ? std::string("this address")
                        : fmt::format("model '{}', size {} KiB and this node and block",
                                      name_of(wanted.model),
                                      wanted.size_kib));
    }
    if (places.size() > 1) {
        throw Error(ErrorCode::operation_failed,
                    "{} memory devices of {} fit: say which by its <alias> or <address>",
                    places.size(),
                    where);
    }
    return places.front();
}

void require_same_but_requested(const MemoryDeviceDef& known, const MemoryDeviceDef& wanted) {
    const auto differs = [&](const char* what, const auto& is, const auto& asked) {
        throw Error(ErrorCode::operation_invalid,
                    "{} of a memory device cannot be changed (from '{}' to '{}'), only <requested> "
                    "of a virtio-mem device can; detach it and attach another",
                    what,
                    is,
                    asked);
    };
    if (wanted.model != known.model) {
        differs("model", name_of(known.model), name_of(wanted.model));
    }
    if (wanted.size_kib != known.size_kib) {
        differs("<size>", known.size_kib, wanted.size_kib);
    }
    if (wanted.node && wanted.node != known.node) {
        differs("<node>", known.node.value_or(0), *wanted.node);
    }
    if (wanted.block_kib && wanted.block_kib != known.block_kib) {
        differs("<block>", known.block_kib.value_or(0), *wanted.block_kib);
    }
    if (wanted.access && wanted.access != known.access) {
        differs("access", known.access ? name_of(*known.access) : "none", name_of(*wanted.access));
    }
    const MemoryDeviceSource nothing;
    const MemoryDeviceSource& source = known.source ? *known.source : nothing;
    if (wanted.source && wanted.source->page_size_kib != source.page_size_kib) {
        differs("<pagesize>",
                source.page_size_kib.value_or(0),
                wanted.source->page_size_kib.value_or(0));
    }
    if (wanted.source && wanted.source->nodemask != source.nodemask) {
        differs("<nodemask>", source.nodemask.value_or(""), wanted.source->nodemask.value_or(""));
    }
    if (wanted.source && wanted.source->path != source.path) {
        differs("<path>", source.path.value_or(""), wanted.source->path.value_or(""));
    }
    if (known.model != MemoryDeviceModel::virtio_mem) {
        throw Error(ErrorCode::operation_invalid,
                    "a memory device of model '{}' has nothing that can be changed; detach it and "
                    "attach another",
                    name_of(known.model));
    }
}

void require_requestable(const MemoryDeviceDef& memory, uint64_t requested_kib) {
    const std::string alias = memory.info.alias.value_or("");
    if (memory.model != MemoryDeviceModel::virtio_mem) {
        throw Error(ErrorCode::operation_unsupported,
                    "memory device '{}' is of model '{}': how much the guest has of it is fixed, "
                    "only that of a virtio-mem device is not",
                    alias,
                    name_of(memory.model));
    }
    if (requested_kib > memory.size_kib) {
        throw Error(ErrorCode::invalid_arg,
                    "{} KiB are more than the size of memory device '{}', {} KiB",
                    requested_kib,
                    alias,
                    memory.size_kib);
    }
    if (memory.block_kib && requested_kib % *memory.block_kib != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "{} KiB are not a multiple of the block of memory device '{}', {} KiB; {} KiB "
                    "are",
                    requested_kib,
                    alias,
                    *memory.block_kib,
                    requested_kib / *memory.block_kib * *memory.block_kib);
    }
}

void share_memory(std::span<MemoryShare> shares, uint64_t amount_kib) {
    std::vector<uint32_t> numbers;
    std::vector<Node> nodes;
    for (MemoryShare& share : shares) {
        share.requested_kib = 0;
        auto known = std::ranges::find(numbers, share.node);
        if (known == numbers.end()) {
            numbers.push_back(share.node);
            nodes.emplace_back();
            known = numbers.end() - 1;
        }
        nodes[static_cast<std::size_t>(known - numbers.begin())].shares.push_back(&share);
    }
    amount_kib = divide(nodes, amount_kib, give_node);
    // Less than a block for each is left: one more for whoever has room, the first ones first.
    for (uint64_t before = 0; before != amount_kib;) {
        before = amount_kib;
        for (MemoryShare& share : shares) {
            amount_kib -= give_device(&share, std::min(amount_kib, share.block_kib));
        }
    }
}

} // namespace vireo::qemu
