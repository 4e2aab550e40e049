// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/refusals.hpp"

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
void split_schedulers(std::vector<S>& schedulers, std::string_view element) {
    std::vector<S> each;
    check_each(schedulers, [&](const S& scheduler) {
        for (const uint32_t id : ids_of(scheduler.ids, scheduler.where, element)) {
            const std::string name = fmt::format("{}", id);
            if (std::ranges::find(each, name, &S::ids) != each.end()) {
                refuse(
                    scheduler.where, element, "there are two for '{}'; name it in one of them", id);
            }
            each.push_back(scheduler);
            each.back().ids = name;
        }
    });
    std::ranges::sort(each, {}, [](const S& s) { return std::stoul(s.ids); });
    schedulers = std::move(each);
}

/// Leaves those tunes, shares of the caches or of the memory's bandwidth, that are of vCPUs below
/// `count`, and only these of their vCPUs.
template <class T>
void clip(std::vector<T>& tunes, uint32_t count, std::string_view element) {
    check_each(tunes, [&](T& tune) {
        std::set<uint32_t> ids = ids_of(tune.vcpus, tune.where, element);
        ids.erase(ids.lower_bound(count), ids.end());
        tune.vcpus = text_of(ids);
    });
    std::erase_if(tunes, [](const T& tune) { return tune.vcpus.empty(); });
}

template <class P>
void normalize_pins(std::vector<P>& pins, std::string_view element) {
    check_each(pins,
               [&](P& pin) { pin.cpuset = normalized_ranges(pin.cpuset, pin.where, element); });
}

void fill_cputune(CputuneDef& tune, uint32_t vcpus) {
    std::erase_if(tune.vcpu_pins, [&](const VcpuPin& pin) { return pin.vcpu >= vcpus; });
    check_all([&] { clip(tune.cache_tunes, vcpus, "cachetune"); },
              [&] { clip(tune.memory_tunes, vcpus, "memorytune"); },
              [&] { normalize_pins(tune.vcpu_pins, "vcpupin"); },
              [&] { normalize_pins(tune.iothread_pins, "iothreadpin"); },
              [&] { normalize(tune.emulator_pin, tune.where, "emulatorpin"); },
              [&] { split_schedulers(tune.vcpu_schedulers, "vcpusched"); },
              [&] { split_schedulers(tune.iothread_schedulers, "iothreadsched"); });
    std::ranges::sort(tune.vcpu_pins, {}, &VcpuPin::vcpu);
    std::ranges::sort(tune.iothread_pins, {}, &IothreadPin::iothread);
}

void fill_numa_memory(NumaMemory& memory, const VcpuDef& vcpus) {
    normalize(memory.nodeset, memory.where, "memory");
    if (!memory.placement && !memory.nodeset && vcpus.placement == Placement::auto_) {
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

void fill_numatune(DomainDef& def) {
    if (def.numatune) {
        if (def.numatune->memory) {
            fill_numa_memory(*def.numatune->memory, def.vcpus);
        }
        check_each(def.numatune->memnodes, [](NumaMemnode& node) {
            node.nodeset = normalized_ranges(node.nodeset, node.where, "memnode");
        });
        std::ranges::sort(def.numatune->memnodes, {}, &NumaMemnode::cell);
    }
    if (def.vcpus.placement == Placement::auto_ && !def.numatune) {
        NumaMemory& memory = def.numatune.emplace().memory.emplace();
        memory.mode = NumaMode::strict;
        memory.placement = NumaPlacement::auto_;
    }
}

void fill_pages(DomainDef& def) {
    if (!def.memory_backing || !def.memory_backing->hugepages) {
        return;
    }
    check_each(def.memory_backing->hugepages->pages, [&](HugePage& page) {
        normalize(page.nodeset, page.where, "page");
        if (page.nodeset == "0" && (!def.cpu || def.cpu->cells.empty())) {
            page.nodeset.reset(); // without cells all memory is node 0
        }
    });
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
    fill_iothreads(def);
    Refusals refusals;
    refusals.attempt([&] { fill_vcpus(def); });
    if (def.cputune) {
        refusals.attempt([&] { fill_cputune(*def.cputune, def.vcpus.maximum); });
    }
    refusals.attempt([&] { fill_numatune(def); });
    refusals.attempt([&] { fill_pages(def); });
    refusals.raise();
    if (def.memtune) {
        fill_memtune(*def.memtune);
    }
}

} // namespace vireo::qemu
