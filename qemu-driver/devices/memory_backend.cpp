// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/memory_backend.hpp"

#include "libshared/error.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/model/memory_pages.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

const HugePageDir& huge_page_dir(const PlanContext& context, std::optional<uint64_t> size_kib) {
    for (const HugePageDir& dir : context.facts.huge_pages) {
        if (size_kib ? dir.size_kib == *size_kib : dir.is_default) {
            return dir;
        }
    }
    const auto& backing = context.def.memory_backing;
    const xml::Where where = backing ? backing->where : context.def.where;
    if (size_kib) {
        qemu::refuse(where, "memoryBacking", "the host has no huge pages of {} KiB", *size_kib);
    }
    qemu::refuse(where, "memoryBacking", "the host has no huge pages of its default size");
}

/// The huge pages that this piece is to lie on, if any.
const HugePageDir* huge_pages_for(const PlanContext& context, const MemoryBackendWish& wish) {
    if (wish.path) {
        return nullptr;
    }
    if (wish.page_kib) {
        return *wish.page_kib == ordinary_page_kib ? nullptr
                                                   : &huge_page_dir(context, wish.page_kib);
    }
    const auto pages = huge_pages_of(context.def, wish.cell);
    return pages ? &huge_page_dir(context, pages->size_kib) : nullptr;
}

const std::string& mounted(const PlanContext& context, const HugePageDir& pages) {
    if (pages.path.empty()) {
        const auto& backing = context.def.memory_backing;
        qemu::refuse(
            backing ? backing->where : context.def.where,
            "memoryBacking",
            "no hugetlbfs with pages of {0} KiB is mounted; mount one (mount -t hugetlbfs -o "
            "pagesize={0}K none FOLDER), or say <source type='memfd'/>, which needs none",
            pages.size_kib);
    }
    return pages.path;
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

/// Nothing is said of this piece alone: what holds for all of the guest's memory can be said of it
/// as a whole.
bool has_no_wish_of_its_own(const PlanContext& context, const MemoryBackendWish& wish) {
    const DomainDef& def = context.def;
    const auto pages = huge_pages_of(def, wish.cell);
    const bool tuned =
        def.numatune && std::ranges::any_of(def.numatune->memnodes, [&](const NumaMemnode& node) {
            return wish.cell == node.cell;
        });
    const bool anonymous =
        !def.memory_backing || (def.memory_backing->source != MemoryBackingSource::file &&
                                def.memory_backing->source != MemoryBackingSource::memfd);
    return !wish.page_kib && !wish.nodemask && !wish.path && !wish.enclave && !tuned &&
           !(pages && pages->of_cell) && !access_of(def, wish) && anonymous;
}

} // namespace

Plan plan_memory_path(const PlanContext& context) {
    const auto& backing = context.def.memory_backing;
    const auto pages = huge_pages_of(context.def, std::nullopt);
    Plan plan;
    if (pages || (backing && backing->allocation == MemoryAllocation::immediate)) {
        plan.push_back(flag_step("-mem-prealloc"));
    }
    if (pages) {
        plan.push_back(
            option_step("-mem-path", mounted(context, huge_page_dir(context, pages->size_kib))));
    }
    return plan;
}

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
    const HugePageDir* pages = wish.enclave ? nullptr : huge_pages_for(context, wish);
    const auto discard = discard_of(context.def, wish);
    const auto access = access_of(context.def, wish);

    MemoryBackend backend;
    json& props = backend.props;
    props["id"] = wish.id;
    props["size"] = wish.size_kib * 1024;
    backend.is_plain = has_no_wish_of_its_own(context, wish);
    if (wish.enclave) {
        props["qom-type"] = "memory-backend-epc";
    } else if (backing.source == MemoryBackingSource::memfd && !wish.path) {
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
        props["mem-path"] = pages       ? mounted(context, *pages)
                            : wish.path ? *wish.path
                                        : context.facts.memory_backing_dir + "/" +
                                              (wish.file_name.empty() ? wish.id : wish.file_name);
        add_file_options(wish, discard, props);
    } else {
        props["qom-type"] = "memory-backend-ram";
    }
    if (access && !wish.enclave) {
        props["share"] = *access == MemoryAccess::shared;
    }
    backend.preallocates =
        pages || wish.path || wish.enclave || backing.allocation == MemoryAllocation::immediate;
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
