// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/memory_backend.hpp"

#include "libshared/error.hpp"
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

} // namespace

MemoryBackend memory_backend(const PlanContext& context, const MemoryBackendWish& wish) {
    static const MemoryBackingDef nothing;
    const auto& given = context.def.memory_backing;
    const MemoryBackingDef& backing = given ? *given : nothing;
    const HugePageDir* pages = huge_pages_for(context, wish);
    std::optional<YesNo> discard = wish.discard;
    if (!discard && backing.discard) {
        discard = YesNo::yes;
    }

    MemoryBackend backend;
    json& props = backend.props;
    props["id"] = wish.id;
    props["size"] = wish.size_kib * 1024;
    if (backing.source == MemoryBackingSource::memfd) {
        props["qom-type"] = "memory-backend-memfd";
        if (pages) {
            props["hugetlb"] = true;
            props["hugetlbsize"] = pages->size_kib * 1024;
        }
        if (wish.is_main) {
            props["x-use-canonical-path-for-ramblock-id"] = false;
        }
    } else if (pages || backing.source == MemoryBackingSource::file) {
        props["qom-type"] = "memory-backend-file";
        props["mem-path"] = pages ? pages->path : context.facts.memory_backing_dir + "/" + wish.id;
        add_file_options(wish, discard, props);
    } else {
        props["qom-type"] = "memory-backend-ram";
        backend.is_plain = true;
    }
    if (const auto access = wish.access ? wish.access : backing.access) {
        props["share"] = *access == MemoryAccess::shared;
        backend.is_plain = false;
    }
    if (pages || backing.allocation == MemoryAllocation::immediate) {
        props["prealloc"] = true;
        backend.is_plain = false;
        if (backing.allocation_threads) {
            props["prealloc-threads"] = *backing.allocation_threads;
        }
    }
    return backend;
}

} // namespace vireo::qemu
