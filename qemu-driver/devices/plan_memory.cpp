// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/id_ranges.hpp"
#include "qemu-driver/devices/memory_backend.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

constexpr uint64_t kib_per_mib = 1024;

uint64_t whole_mib(uint64_t kib) {
    return (kib + kib_per_mib - 1) / kib_per_mib * kib_per_mib;
}

const std::vector<NumaCell>& cells(const DomainDef& def) {
    static const std::vector<NumaCell> none;
    return def.cpu ? def.cpu->cells : none;
}

/// The memory that the guest starts with, rounded up as QEMU wants it.
uint64_t start_memory_kib(const DomainDef& def) {
    if (cells(def).empty()) {
        uint64_t in_devices = 0;
        for (const MemoryDeviceDef& memory : def.devices.memories) {
            in_devices += memory.size_kib;
        }
        return whole_mib(def.memory.total_kib - std::min(def.memory.total_kib, in_devices));
    }
    uint64_t sum = 0;
    for (const NumaCell& cell : cells(def)) {
        sum += whole_mib(cell.memory_kib);
    }
    return sum;
}

Step memory_size(const DomainDef& def) {
    const uint64_t size = start_memory_kib(def);
    if (!def.memory.max) {
        return option_step("-m", std::to_string(size / kib_per_mib));
    }
    return option_step("-m",
                       OptionText()
                           .add("size", fmt::format("{}k", size))
                           .add("slots", uint64_t{def.memory.max->slots})
                           .add("maxmem", fmt::format("{}k", whole_mib(def.memory.max->kib)))
                           .take());
}

Step smp(const DomainDef& def) {
    const uint32_t maximum = def.vcpus.maximum;
    const uint32_t current = def.vcpus.current.value_or(maximum);
    OptionText text(std::to_string(current));
    if (current != maximum) {
        text.add("maxcpus", uint64_t{maximum});
    }
    if (def.cpu && def.cpu->topology) {
        const CpuTopology& topology = *def.cpu->topology;
        const uint64_t product =
            uint64_t{topology.sockets} * topology.dies * topology.cores * topology.threads;
        if (product != maximum) {
            throw Error(ErrorCode::config_unsupported,
                        "cpu topology has {} CPUs, vcpu says {}",
                        product,
                        maximum);
        }
        text.add("sockets", uint64_t{topology.sockets})
            .add("dies", uint64_t{topology.dies})
            .add("cores", uint64_t{topology.cores})
            .add("threads", uint64_t{topology.threads});
    } else {
        text.add("sockets", uint64_t{maximum})
            .add("cores", uint64_t{1})
            .add("threads", uint64_t{1});
    }
    return option_step("-smp", text.take());
}

void add_cell(const PlanContext& context, const NumaCell& cell, Plan& plan, OptionText& text) {
    for (const std::string& range : split_ranges(cell.cpus.value_or(""))) {
        text.add("cpus", range);
    }
    const std::string id = fmt::format("ram-node{}", cell.id.value_or(0));
    const MachineType* machine = context.caps.machine(context.def.os.machine.value_or(""));
    MemoryBackendWish wish;
    wish.id = id;
    wish.size_kib = whole_mib(cell.memory_kib);
    wish.cell = cell.id;
    wish.access = cell.access;
    wish.discard = cell.discard;
    MemoryBackend backend = memory_backend(context, wish);
    if (backend.is_plain && machine && machine->numa_memory_supported) {
        text.add("mem", wish.size_kib / kib_per_mib);
    } else {
        append_memory_backend(plan, std::move(backend));
        text.add("memdev", id);
    }
}

void add_distances(const DomainDef& def, Plan& plan) {
    const auto& all = cells(def);
    if (std::none_of(
            all.begin(), all.end(), [](const NumaCell& cell) { return !cell.distances.empty(); })) {
        return;
    }
    // Once one distance is given QEMU wants them all; these two are ACPI's own defaults.
    constexpr uint32_t local = 10, remote = 20;
    for (const NumaCell& from : all) {
        for (const NumaCell& to : all) {
            const auto given = std::find_if(
                from.distances.begin(), from.distances.end(), [&](const NumaSibling& sibling) {
                    return sibling.id == to.id.value_or(0);
                });
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

Plan plan_numa(const PlanContext& context) {
    Plan plan;
    for (const NumaCell& cell : cells(context.def)) {
        if (!cell.caches.empty()) {
            throw Error(ErrorCode::config_unsupported, "numa cell: <cache> is not supported");
        }
        OptionText text("node");
        text.add("nodeid", uint64_t{cell.id.value_or(0)});
        add_cell(context, cell, plan, text);
        plan.push_back(option_step("-numa", text.take()));
    }
    if (context.def.cpu && !context.def.cpu->interconnects.empty()) {
        throw Error(ErrorCode::config_unsupported, "numa: <interconnects> is not supported");
    }
    add_distances(context.def, plan);
    return plan;
}

json iothread_object(const IothreadDef& thread) {
    json object = json::object();
    object["qom-type"] = "iothread";
    object["id"] = fmt::format("iothread{}", thread.id);
    if (thread.pool.min) {
        object["thread-pool-min"] = *thread.pool.min;
    }
    if (thread.pool.max) {
        object["thread-pool-max"] = *thread.pool.max;
    }
    return object;
}

} // namespace

std::string main_memory_id(const PlanContext& context) {
    const MachineType* machine = context.caps.machine(context.def.os.machine.value_or(""));
    return machine ? machine->default_ram_id : std::string();
}

bool has_main_memory_backend(const PlanContext& context) {
    return cells(context.def).empty() && !main_memory_id(context).empty();
}

Plan plan_memory(const PlanContext& context) {
    const DomainDef& def = context.def;
    Plan plan;
    plan.push_back(memory_size(def));
    if (has_main_memory_backend(context)) {
        MemoryBackendWish wish;
        wish.id = main_memory_id(context);
        wish.size_kib = start_memory_kib(def);
        wish.is_main = true;
        append_memory_backend(plan, memory_backend(context, wish));
    }
    const bool locked = def.memory_backing && def.memory_backing->locked;
    plan.push_back(option_step("-overcommit", OptionText().on_off("mem-lock", locked).take()));
    plan.push_back(smp(def));
    for (const IothreadDef& thread : def.iothreads) {
        plan.push_back(object_step(iothread_object(thread)));
    }
    append(plan, plan_numa(context));
    return plan;
}

} // namespace vireo::qemu
