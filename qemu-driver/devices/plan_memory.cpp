// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/memory_backend.hpp"
#include "qemu-driver/devices/plan_machine.hpp"
#include "qemu-driver/devices/plan_numa.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// The memory that the guest starts with, rounded up as QEMU wants it.
uint64_t start_memory_kib(const DomainDef& def) {
    if (numa_cells(def).empty()) {
        uint64_t in_devices = 0;
        for (const MemoryDeviceDef& memory : def.devices.memories) {
            in_devices += memory.size_kib;
        }
        return whole_mib(def.memory.total_kib - std::min(def.memory.total_kib, in_devices));
    }
    uint64_t sum = 0;
    for (const NumaCell& cell : numa_cells(def)) {
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

/// vCPUs that are there from the start. The hot-pluggable ones are plugged in their order before
/// the guest runs.
uint32_t cold_vcpus(const VcpuDef& vcpus) {
    if (vcpus.states.empty()) {
        return vcpus.current.value_or(vcpus.maximum);
    }
    return static_cast<uint32_t>(std::ranges::count_if(vcpus.states, [](const VcpuState& state) {
        return state.enabled == YesNo::yes && state.hotpluggable != YesNo::yes;
    }));
}

Step smp(const DomainDef& def) {
    const uint32_t maximum = def.vcpus.maximum;
    const uint32_t current = cold_vcpus(def.vcpus);
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

json event_loop(const char* type, std::string id, const ThreadPool& pool) {
    json object = json::object();
    object["qom-type"] = type;
    object["id"] = std::move(id);
    if (pool.min) {
        object["thread-pool-min"] = *pool.min;
    }
    if (pool.max) {
        object["thread-pool-max"] = *pool.max;
    }
    return object;
}

void require_nodes(const PlanContext& context, std::string_view nodeset) {
    for (const uint32_t node : numbers_in(nodeset)) {
        if (!context.facts.numa_nodes.empty() && !context.facts.numa_nodes.contains(node)) {
            throw Error(
                ErrorCode::config_unsupported, "numatune: the host has no NUMA node '{}'", node);
        }
    }
}

/// Memory that is to come from a node which the host does not have would come from any.
void check_host_nodes(const PlanContext& context) {
    const auto& tune = context.def.numatune;
    if (!tune) {
        return;
    }
    if (tune->memory && tune->memory->placement != NumaPlacement::auto_) {
        require_nodes(context, tune->memory->nodeset.value_or(""));
    }
    for (const NumaMemnode& node : tune->memnodes) {
        require_nodes(context, node.nodeset);
    }
}

} // namespace

std::string main_memory_id(const PlanContext& context) {
    const MachineType* machine = context.caps.machine(context.def.os.machine.value_or(""));
    return machine ? machine->default_ram_id : std::string();
}

bool has_main_memory_backend(const PlanContext& context) {
    return numa_cells(context.def).empty() && !main_memory_id(context).empty();
}

Plan plan_memory(const PlanContext& context) {
    const DomainDef& def = context.def;
    check_host_nodes(context);
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
    if (def.default_iothread) {
        require_type(context, "main-loop", "defaultiothread");
        plan.push_back(object_step(event_loop("main-loop", "main-loop", *def.default_iothread)));
    }
    for (const IothreadDef& thread : def.iothreads) {
        plan.push_back(
            object_step(event_loop("iothread", fmt::format("iothread{}", thread.id), thread.pool)));
    }
    append(plan, plan_numa(context));
    return plan;
}

} // namespace vireo::qemu
