// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/memory_backend.hpp"

#include "libshared/error.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/id_ranges.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

constexpr uint64_t system_page_kib = 4;

const HugePageDir& huge_page_dir(const PlanContext& context, std::optional<uint64_t> size_kib) {
    for (const HugePageDir& dir : context.facts.huge_pages) {
        if (size_kib ? dir.size_kib == *size_kib : dir.is_default) {
            return dir;
        }
    }
    if (size_kib) {
        throw Error(ErrorCode::config_unsupported,
                    "memoryBacking: no hugetlbfs with pages of {} KiB is mounted",
                    *size_kib);
    }
    throw Error(ErrorCode::config_unsupported, "memoryBacking: no hugetlbfs is mounted");
}

/// The huge pages that a cell (or the whole guest) is to lie on, if any.
const HugePageDir* huge_pages_for(const PlanContext& context, const MemoryBackendWish& wish) {
    if (wish.path) {
        return nullptr;
    }
    if (wish.page_kib) {
        return *wish.page_kib == system_page_kib ? nullptr : &huge_page_dir(context, wish.page_kib);
    }
    const auto& backing = context.def.memory_backing;
    if (!backing || !backing->hugepages) {
        return nullptr;
    }
    const HugePage* chosen = nullptr;
    for (const HugePage& page : backing->hugepages->pages) {
        const bool mine = page.nodeset && wish.cell && ranges_contain(*page.nodeset, *wish.cell);
        if (mine || (!page.nodeset && !chosen)) {
            chosen = &page;
        }
    }
    if (!chosen && !backing->hugepages->pages.empty()) {
        return nullptr; // every page is for other cells
    }
    if (chosen && chosen->size_kib == system_page_kib) {
        return nullptr;
    }
    return &huge_page_dir(context, chosen ? std::optional(chosen->size_kib) : std::nullopt);
}

void add_file_options(const MemoryBackendWish& wish, std::optional<YesNo> discard, json& props) {
    if (discard) {
        props["discard-data"] = *discard == YesNo::yes;
    }
    if (wish.is_main) {
        // The migration stream names the block by the back end's id, as other back ends do.
        props["x-use-canonical-path-for-ramblock-id"] = false;
    }
}

/// Host nodes that a piece of memory must, or should, come from.
struct HostNodes {
    std::string nodeset;
    NumaMode mode{};
};

std::optional<HostNodes> host_nodes(const PlanContext& context, const MemoryBackendWish& wish) {
    const auto& numatune = context.def.numatune;
    if (wish.nodemask) {
        const bool tuned = numatune && numatune->memory && numatune->memory->mode;
        return HostNodes{*wish.nodemask, tuned ? *numatune->memory->mode : NumaMode::strict};
    }
    if (!numatune) {
        return std::nullopt;
    }
    for (const NumaMemnode& node : numatune->memnodes) {
        if (wish.cell == node.cell) {
            return HostNodes{node.nodeset, node.mode};
        }
    }
    if (!numatune->memory) {
        return std::nullopt;
    }
    const NumaMemory& memory = *numatune->memory;
    const auto& nodeset =
        memory.placement == NumaPlacement::auto_ ? context.facts.numad_advice : memory.nodeset;
    if (!nodeset) {
        return std::nullopt;
    }
    return HostNodes{*nodeset, memory.mode.value_or(NumaMode::strict)};
}

/// With 'restrictive' the daemon confines QEMU by cgroup, and QEMU is told nothing.
const char* policy_word(NumaMode mode) {
    switch (mode) {
    case NumaMode::strict:
        return "bind";
    case NumaMode::preferred:
        return "preferred";
    case NumaMode::interleave:
        return "interleave";
    case NumaMode::restrictive:
        break;
    }
    return nullptr;
}

void add_host_nodes(const PlanContext& context, const HostNodes& nodes, MemoryBackend& backend) {
    const char* policy = policy_word(nodes.mode);
    if (!policy) {
        return;
    }
    const json list = numbers_in(nodes.nodeset);
    if (list.empty()) {
        throw Error(ErrorCode::config_unsupported,
                    "numatune: '{}' is not a list like '0-3,8'",
                    nodes.nodeset);
    }
    backend.props["host-nodes"] = list;
    backend.props["policy"] = policy;
    backend.is_plain = false;
    // Pages that are allocated at once are touched by threads on the right nodes.
    if (backend.props.contains("prealloc") && context.caps.has_type("thread-context")) {
        const std::string id = "tc-" + backend.props.at("id").get<std::string>();
        backend.context["qom-type"] = "thread-context";
        backend.context["id"] = id;
        backend.context["node-affinity"] = list;
        backend.props["prealloc-context"] = id;
    }
}

const NumaCell* cell_of(const DomainDef& def, const MemoryBackendWish& wish) {
    const NumaCell* found = nullptr;
    if (wish.cell && def.cpu) {
        for (const NumaCell& cell : def.cpu->cells) {
            found = cell.id == wish.cell ? &cell : found;
        }
    }
    return found;
}

/// A device's own word, its cell's, the guest's.
std::optional<MemoryAccess> access_of(const DomainDef& def, const MemoryBackendWish& wish) {
    const NumaCell* cell = cell_of(def, wish);
    return wish.access            ? wish.access
           : cell && cell->access ? cell->access
           : def.memory_backing   ? def.memory_backing->access
                                  : std::nullopt;
}

std::optional<YesNo> discard_of(const DomainDef& def, const MemoryBackendWish& wish) {
    const NumaCell* cell = cell_of(def, wish);
    if (wish.discard) {
        return wish.discard;
    }
    if (cell && cell->discard) {
        return cell->discard;
    }
    return def.memory_backing && def.memory_backing->discard ? std::optional(YesNo::yes)
                                                             : std::nullopt;
}

} // namespace

void append_memory_backend(Plan& plan, MemoryBackend backend) {
    if (!backend.context.is_null()) {
        plan.push_back(object_step(std::move(backend.context)));
    }
    plan.push_back(object_step(std::move(backend.props)));
}

MemoryBackend memory_backend(const PlanContext& context, const MemoryBackendWish& wish) {
    static const MemoryBackingDef nothing;
    const auto& given = context.def.memory_backing;
    const MemoryBackingDef& backing = given ? *given : nothing;
    const HugePageDir* pages = huge_pages_for(context, wish);
    const auto discard = discard_of(context.def, wish);
    const auto access = access_of(context.def, wish);

    MemoryBackend backend;
    json& props = backend.props;
    props["id"] = wish.id;
    props["size"] = wish.size_kib * 1024;
    if (backing.source == MemoryBackingSource::memfd && !wish.path) {
        props["qom-type"] = "memory-backend-memfd";
        if (pages) {
            props["hugetlb"] = true;
            props["hugetlbsize"] = pages->size_kib * 1024;
        }
        if (wish.is_main) {
            props["x-use-canonical-path-for-ramblock-id"] = false;
        }
    } else if (pages || wish.path || access || backing.source == MemoryBackingSource::file) {
        props["qom-type"] = "memory-backend-file";
        props["mem-path"] = pages       ? pages->path
                            : wish.path ? *wish.path
                                        : context.facts.memory_backing_dir + "/" +
                                              (wish.file_name.empty() ? wish.id : wish.file_name);
        add_file_options(wish, discard, props);
    } else {
        props["qom-type"] = "memory-backend-ram";
        backend.is_plain = true;
    }
    if (access) {
        props["share"] = *access == MemoryAccess::shared;
        backend.is_plain = false;
    }
    backend.preallocates = pages || wish.path || backing.allocation == MemoryAllocation::immediate;
    if (wish.no_reserve) {
        props["reserve"] = false;
    } else if (backend.preallocates) {
        props["prealloc"] = true;
        if (backing.allocation_threads) {
            props["prealloc-threads"] = *backing.allocation_threads;
        }
    }
    if (const auto nodes = host_nodes(context, wish)) {
        add_host_nodes(context, *nodes, backend);
    }
    return backend;
}

} // namespace vireo::qemu
