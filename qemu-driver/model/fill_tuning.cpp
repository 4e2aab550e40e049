// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

void normalize(std::optional<std::string>& ranges, xml::Where where, std::string_view element) {
    if (ranges) {
        *ranges = normalized_ranges(*ranges, where, element);
    }
}

/// The host's advice on where the memory goes holds for the vCPUs, too, unless they are pinned.
bool is_advised(const DomainDef& def) {
    const bool advised = def.numatune && def.numatune->memory &&
                         def.numatune->memory->placement == NumaPlacement::auto_;
    const bool pinned = def.vcpus.cpuset || (def.cputune && (!def.cputune->vcpu_pins.empty() ||
                                                             !def.cputune->iothread_pins.empty() ||
                                                             def.cputune->emulator_pin));
    return advised && !pinned;
}

void fill_vcpus(DomainDef& def) {
    VcpuDef& vcpus = def.vcpus;
    normalize(vcpus.cpuset, def.where, "vcpu");
    if (is_advised(def)) {
        vcpus.placement = Placement::auto_;
    }
    vcpus.placement = vcpus.placement.value_or(Placement::static_);
    if (vcpus.placement == Placement::auto_) {
        vcpus.cpuset.reset();
    }
    if (vcpus.current == vcpus.maximum) {
        vcpus.current.reset();
    }
}

void fill_iothreads(DomainDef& def) {
    if (def.iothread_count.value_or(0) == 0 && def.iothreads.empty()) {
        def.iothread_count.reset();
        return;
    }
    uint32_t next = 1;
    while (def.iothreads.size() < def.iothread_count.value_or(0)) {
        const auto taken = [&](const IothreadDef& t) { return t.id == next; };
        if (std::ranges::any_of(def.iothreads, taken)) {
            ++next;
            continue;
        }
        IothreadDef added;
        added.id = next;
        added.automatic = true;
        def.iothreads.push_back(added);
    }
    def.iothread_count = static_cast<uint32_t>(def.iothreads.size());
}

/// One element for each thread: what is said of `0-1` is said of 0 and of 1.
template <class S>
void split_schedulers(std::vector<S>& schedulers, xml::Where where, std::string_view element) {
    std::vector<S> each;
    for (const S& scheduler : schedulers) {
        for (const uint32_t id : ids_of(scheduler.ids, where, element)) {
            const std::string name = fmt::format("{}", id);
            if (std::ranges::find(each, name, &S::ids) != each.end()) {
                refuse(where, element, "there are two for '{}'; name it in one of them", id);
            }
            each.push_back(scheduler);
            each.back().ids = name;
        }
    }
    std::ranges::sort(each, {}, [](const S& s) { return std::stoul(s.ids); });
    schedulers = std::move(each);
}

/// Leaves those below `count` in a set of vCPUs; false: there is none.
bool clip(std::string& vcpus, uint32_t count, xml::Where where, std::string_view element) {
    std::set<uint32_t> ids = ids_of(vcpus, where, element);
    ids.erase(ids.lower_bound(count), ids.end());
    vcpus = text_of(ids);
    return !ids.empty();
}

/// Shares of the caches and of the memory bandwidth, for the vCPUs that there are.
void fill_resctrl(CputuneDef& tune, uint32_t vcpus, xml::Where where) {
    std::erase_if(tune.cache_tunes,
                  [&](CacheTune& t) { return !clip(t.vcpus, vcpus, where, "cachetune"); });
    std::erase_if(tune.memory_tunes,
                  [&](MemoryTune& t) { return !clip(t.vcpus, vcpus, where, "memorytune"); });
}

void fill_cputune(CputuneDef& tune, uint32_t vcpus, xml::Where where) {
    std::erase_if(tune.vcpu_pins, [&](const VcpuPin& pin) { return pin.vcpu >= vcpus; });
    fill_resctrl(tune, vcpus, where);
    for (VcpuPin& pin : tune.vcpu_pins) {
        pin.cpuset = normalized_ranges(pin.cpuset, where, "vcpupin");
    }
    for (IothreadPin& pin : tune.iothread_pins) {
        pin.cpuset = normalized_ranges(pin.cpuset, where, "iothreadpin");
    }
    normalize(tune.emulator_pin, where, "emulatorpin");
    std::ranges::sort(tune.vcpu_pins, {}, &VcpuPin::vcpu);
    std::ranges::sort(tune.iothread_pins, {}, &IothreadPin::iothread);
    split_schedulers(tune.vcpu_schedulers, where, "vcpusched");
    split_schedulers(tune.iothread_schedulers, where, "iothreadsched");
}

void fill_numatune(DomainDef& def) {
    if (def.numatune) {
        if (def.numatune->memory) {
            NumaMemory& memory = *def.numatune->memory;
            normalize(memory.nodeset, def.where, "numatune");
            if (!memory.placement && !memory.nodeset && def.vcpus.placement == Placement::auto_) {
                memory.placement = NumaPlacement::auto_;
            }
            memory.mode = memory.mode.value_or(NumaMode::strict);
            if (memory.placement == NumaPlacement::static_ && memory.nodeset) {
                memory.placement.reset();
            }
            if (memory.placement == NumaPlacement::auto_) {
                memory.nodeset.reset(); // the host chooses
            }
        }
        for (NumaMemnode& node : def.numatune->memnodes) {
            node.nodeset = normalized_ranges(node.nodeset, def.where, "memnode");
        }
        std::ranges::sort(def.numatune->memnodes, {}, &NumaMemnode::cell);
    }
    if (def.vcpus.placement == Placement::auto_ && !def.numatune) {
        def.numatune.emplace().memory =
            NumaMemory{.mode = NumaMode::strict, .placement = NumaPlacement::auto_, .nodeset = {}};
    }
}

/// The highest limit that can be written says that there is none.
void fill_memtune(MemtuneDef& tune) {
    constexpr uint64_t unlimited_kib = 9007199254740991;
    for (std::optional<uint64_t>* limit : {&tune.hard_limit_kib,
                                           &tune.soft_limit_kib,
                                           &tune.min_guarantee_kib,
                                           &tune.swap_hard_limit_kib}) {
        if (*limit >= unlimited_kib) {
            limit->reset();
        }
    }
}

} // namespace

void fill_tuning(DomainDef& def) {
    fill_vcpus(def);
    fill_iothreads(def);
    if (def.cputune) {
        fill_cputune(*def.cputune, def.vcpus.maximum, def.where);
    }
    fill_numatune(def);
    if (def.memtune) {
        fill_memtune(*def.memtune);
    }
    if (def.memory_backing && def.memory_backing->hugepages) {
        for (HugePage& page : def.memory_backing->hugepages->pages) {
            normalize(page.nodeset, def.where, "page");
            if (page.nodeset == "0" && (!def.cpu || def.cpu->cells.empty())) {
                page.nodeset.reset(); // without cells all memory is node 0
            }
        }
    }
}

} // namespace vireo::qemu
