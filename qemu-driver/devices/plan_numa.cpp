// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_numa.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/id_ranges.hpp"
#include "qemu-driver/devices/memory_backend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <variant>

namespace vireo::qemu {

namespace {

MemoryBackend cell_backend(const PlanContext& context, const NumaCell& cell) {
    MemoryBackendWish wish;
    wish.id = fmt::format("ram-node{}", cell.id.value_or(0));
    wish.size_kib = whole_mib(cell.memory_kib);
    wish.cell = cell.id;
    return memory_backend(context, wish);
}

/// Older machines split their own memory among the cells; then a guest that migrates from one
/// without back ends finds its memory under the same names.
bool splits_memory(const PlanContext& context, const std::vector<MemoryBackend>& backends) {
    const MachineType* machine = context.caps.machine(context.def.os.machine.value_or(""));
    return machine != nullptr && machine->numa_memory_supported &&
           !has_memory_attributes(context.def) &&
           std::ranges::all_of(backends, &MemoryBackend::is_plain);
}

bool has_cpus(const NumaCell& cell) {
    return cell.cpus && !cell.cpus->empty();
}

/// The cell that reaches this one's memory fastest: itself if it has CPUs, else what the tables
/// say, else the first cell with CPUs.
uint32_t initiator_of(const DomainDef& def, const NumaCell& cell) {
    const uint32_t id = cell.id.value_or(0);
    if (has_cpus(cell)) {
        return id;
    }
    std::optional<uint32_t> best;
    uint64_t widest = 0, shortest = std::numeric_limits<uint64_t>::max();
    for (const auto& link : def.cpu->interconnects) {
        if (const auto* latency = std::get_if<HmatLatency>(&link)) {
            if (latency->target == id && latency->ns < shortest) {
                shortest = latency->ns;
                best = latency->initiator;
            }
        } else if (const auto& width = std::get<HmatBandwidth>(link);
                   width.target == id && width.kib_per_s > widest) {
            widest = width.kib_per_s;
            best = width.initiator;
        }
    }
    if (best) {
        return *best;
    }
    const auto& all = numa_cells(def);
    const auto first = std::ranges::find_if(all, has_cpus);
    if (first == all.end()) {
        throw Error(ErrorCode::config_unsupported, "numa: at least one <cell> needs CPUs");
    }
    return first->id.value_or(0);
}

void add_cells(const PlanContext& context, Plan& plan) {
    std::vector<MemoryBackend> backends;
    for (const NumaCell& cell : numa_cells(context.def)) {
        backends.push_back(cell_backend(context, cell));
    }
    const bool split = splits_memory(context, backends);
    if (split) {
        append(plan, plan_memory_path(context));
    }
    auto backend = backends.begin();
    for (const NumaCell& cell : numa_cells(context.def)) {
        OptionText text("node");
        text.add("nodeid", uint64_t{cell.id.value_or(0)});
        for (const std::string& range : split_ranges(cell.cpus.value_or(""))) {
            text.add("cpus", range);
        }
        if (has_memory_attributes(context.def)) {
            text.add("initiator", uint64_t{initiator_of(context.def, cell)});
        }
        if (split) {
            text.add("mem", whole_mib(cell.memory_kib) / kib_per_mib);
        } else {
            text.add("memdev", backend->props.at("id").get<std::string>());
            append_memory_backend(plan, std::move(*backend));
        }
        ++backend;
        plan.push_back(option_step("-numa", text.take()));
    }
}

void add_distances(const DomainDef& def, Plan& plan) {
    const auto& all = numa_cells(def);
    if (std::ranges::all_of(all, [](const NumaCell& cell) { return cell.distances.empty(); })) {
        return;
    }
    // Once one distance is given QEMU wants them all; these two are ACPI's own defaults.
    constexpr uint32_t local = 10, remote = 20;
    for (const NumaCell& from : all) {
        for (const NumaCell& to : all) {
            const auto given =
                std::ranges::find(from.distances, to.id.value_or(0), &NumaSibling::id);
            const uint32_t fallback = &from == &to ? local : remote;
            const uint32_t value = given == from.distances.end() ? fallback : given->value;
            plan.push_back(option_step("-numa",
                                       OptionText("dist")
                                           .add("src", uint64_t{from.id.value_or(0)})
                                           .add("dst", uint64_t{to.id.value_or(0)})
                                           .add("val", uint64_t{value})
                                           .take()));
        }
    }
}

/// QEMU's words of a place in the memory's hierarchy, and of what is measured there.
OptionText link_text(const HmatInterconnect& link, std::string_view quantity) {
    constexpr std::array<std::string_view, 4> levels{
        "memory", "first-level", "second-level", "third-level"};
    const uint32_t level = link.cache.value_or(0);
    if (level >= levels.size()) {
        throw Error(ErrorCode::config_unsupported, "numa: QEMU knows no cache of level {}", level);
    }
    OptionText text("hmat-lb");
    text.add("initiator", uint64_t{link.initiator})
        .add("target", uint64_t{link.target})
        .add("hierarchy", levels.at(level))
        .add("data-type", fmt::format("{}-{}", name_of(link.type), quantity));
    return text;
}

void add_links(const DomainDef& def, Plan& plan) {
    for (const auto& link : def.cpu->interconnects) {
        if (const auto* latency = std::get_if<HmatLatency>(&link)) {
            OptionText text = link_text(*latency, "latency");
            plan.push_back(option_step("-numa", text.add("latency", latency->ns).take()));
        } else {
            const auto& width = std::get<HmatBandwidth>(link);
            OptionText text = link_text(width, "bandwidth");
            plan.push_back(option_step(
                "-numa", text.add("bandwidth", fmt::format("{}K", width.kib_per_s)).take()));
        }
    }
}

std::string_view policy_word(HmatPolicy policy) {
    switch (policy) {
    case HmatPolicy::none:
        break;
    case HmatPolicy::writeback:
        return "write-back";
    case HmatPolicy::writethrough:
        return "write-through";
    }
    return "none";
}

void add_caches(const DomainDef& def, Plan& plan) {
    for (const NumaCell& cell : numa_cells(def)) {
        for (const HmatCache& cache : cell.caches) {
            // "full" is what ACPI calls complex.
            const bool full = cache.associativity == HmatAssociativity::full;
            plan.push_back(option_step(
                "-numa",
                OptionText("hmat-cache")
                    .add("node-id", uint64_t{cell.id.value_or(0)})
                    .add("size", fmt::format("{}K", cache.size_kib))
                    .add("level", uint64_t{cache.level})
                    .add("associativity", full ? "complex" : name_of(cache.associativity))
                    .add("policy", policy_word(cache.policy))
                    .add("line", uint64_t{cache.line_bytes})
                    .take()));
        }
    }
}

} // namespace

uint64_t whole_mib(uint64_t kib) {
    return (kib + kib_per_mib - 1) / kib_per_mib * kib_per_mib;
}

const std::vector<NumaCell>& numa_cells(const DomainDef& def) {
    static const std::vector<NumaCell> none;
    return def.cpu ? def.cpu->cells : none;
}

bool has_memory_attributes(const DomainDef& def) {
    return def.cpu && (!def.cpu->interconnects.empty() ||
                       std::ranges::any_of(def.cpu->cells, [](const NumaCell& cell) {
                           return !cell.caches.empty();
                       }));
}

Plan plan_numa(const PlanContext& context) {
    Plan plan;
    add_cells(context, plan);
    add_distances(context.def, plan);
    if (has_memory_attributes(context.def)) {
        add_links(context.def, plan);
        add_caches(context.def, plan);
    }
    return plan;
}

} // namespace vireo::qemu
