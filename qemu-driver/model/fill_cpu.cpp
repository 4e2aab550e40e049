// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/normalized_ranges.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

void set_machine_cpu(DomainDef& def, const MachineType* machine) {
    if (machine == nullptr || machine->default_cpu.empty()) {
        return;
    }
    if (!def.cpu) {
        def.cpu.emplace();
    }
    CpuDef& cpu = *def.cpu;
    cpu.mode = CpuMode::custom;
    cpu.match = CpuMatch::exact;
    // It may not be the host's equal: QEMU leaves out what the host has not.
    cpu.check = CpuCheck::none;
    cpu.model =
        CpuModelDef{.fallback = CpuFallback::forbid, .vendor_id = {}, .name = machine->default_cpu};
}

} // namespace

void fill_cells(DomainDef& def) {
    if (!def.cpu) {
        return;
    }
    uint32_t next = 0;
    for (NumaCell& cell : def.cpu->cells) {
        cell.id = cell.id.value_or(next);
        next = *cell.id + 1;
        if (cell.cpus) {
            *cell.cpus = normalized_ranges(*cell.cpus, def.where, "cell");
        }
    }
    std::ranges::sort(def.cpu->cells, {}, [](const NumaCell& c) { return *c.id; });
}

void fill_cpu(DomainDef& def, const HostFacts& facts) {
    const bool has_model = def.cpu && def.cpu->model && !def.cpu->model->name.empty();
    const bool custom = !def.cpu || def.cpu->mode.value_or(CpuMode::custom) == CpuMode::custom;
    if (custom && !has_model) {
        set_machine_cpu(def, facts.qemu->machine(*def.os.machine));
    }
    if (!def.cpu) {
        return;
    }
    CpuDef& cpu = *def.cpu;
    cpu.mode = cpu.mode.value_or(CpuMode::custom);
    if (cpu.mode != CpuMode::custom && cpu.model && cpu.model->name.empty() &&
        !cpu.model->vendor_id && cpu.model->fallback != CpuFallback::forbid) {
        cpu.model.reset();
    }
    for (CpuFeature& feature : cpu.features) {
        feature.policy = feature.policy.value_or(CpuFeaturePolicy::require);
    }
    if (cpu.mode == CpuMode::custom && cpu.model) {
        cpu.match = cpu.match.value_or(CpuMatch::exact);
        cpu.model->fallback = cpu.model->fallback.value_or(CpuFallback::allow);
    }
    if (cpu.mode == CpuMode::host_passthrough && !def.id && !cpu.migratable) {
        cpu.migratable = OnOff::on;
    }
    if (cpu.check == CpuCheck::default_) {
        cpu.check.reset();
    }
    if (cpu.check || (cpu.mode == CpuMode::custom && !cpu.model)) {
        return;
    }
    switch (*cpu.mode) {
    case CpuMode::host_passthrough:
    case CpuMode::maximum:
        cpu.check = CpuCheck::none;
        break;
    case CpuMode::host_model:
        cpu.check = CpuCheck::partial;
        break;
    case CpuMode::custom:
        cpu.check = def.type == DomainType::kvm ? CpuCheck::partial : CpuCheck::none;
        break;
    }
}

} // namespace vireo::qemu
