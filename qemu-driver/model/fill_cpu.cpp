// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/refusals.hpp"

#include <algorithm>
#include <utility>

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
    cpu.model.emplace();
    cpu.model->fallback = CpuFallback::forbid;
    cpu.model->name = machine->default_cpu;
}

NumaSibling* find_sibling(NumaCell& cell, uint32_t id) {
    const auto found = std::ranges::find(cell.distances, id, &NumaSibling::id);
    return found != cell.distances.end() ? &*found : nullptr;
}

/// A distance that is given in one direction is that of the other, too, unless that is given; with
/// any, a cell's own is there. Mistakes stay for `validate`.
void fill_distances(std::vector<NumaCell>& cells) {
    constexpr uint32_t local = 10; // ACPI's
    std::vector<std::pair<NumaCell*, NumaSibling>> missing;
    for (NumaCell& cell : cells) {
        for (const NumaSibling& sibling : cell.distances) {
            const auto other = std::ranges::find(
                cells, sibling.id, [](const NumaCell& c) { return c.id.value_or(0); });
            if (other != cells.end() && find_sibling(*other, *cell.id) == nullptr) {
                missing.emplace_back(&*other, NumaSibling{*cell.id, sibling.value, sibling.where});
            }
        }
    }
    for (const auto& [cell, sibling] : missing) {
        cell->distances.push_back(sibling);
    }
    for (NumaCell& cell : cells) {
        if (!cell.distances.empty() && find_sibling(cell, *cell.id) == nullptr) {
            cell.distances.push_back({*cell.id, local});
        }
        std::ranges::stable_sort(cell.distances, {}, &NumaSibling::id);
    }
}

} // namespace

void fill_cells(DomainDef& def) {
    if (!def.cpu) {
        return;
    }
    uint32_t next = 0;
    check_each(def.cpu->cells, [&](NumaCell& cell) {
        cell.id = cell.id.value_or(next);
        next = *cell.id + 1;
        if (cell.cpus) {
            *cell.cpus = normalized_ranges(*cell.cpus, cell.where, "cell");
        }
    });
    std::ranges::sort(def.cpu->cells, {}, [](const NumaCell& c) { return *c.id; });
    fill_distances(def.cpu->cells);
}

void fill_cell_cpus(DomainDef& def) {
    constexpr uint32_t most = 16384; // of any machine; more is refused later
    if (!def.cpu || def.cpu->cells.empty() || def.vcpus.maximum > most) {
        return;
    }
    const auto cpus_of = [&](const NumaCell& cell) {
        return cell.cpus ? ids_of(*cell.cpus, cell.where, "cell") : std::set<uint32_t>();
    };
    std::set<uint32_t> left;
    for (uint32_t cpu = 0; cpu < def.vcpus.maximum; ++cpu) {
        left.insert(left.end(), cpu);
    }
    for (const NumaCell& cell : def.cpu->cells) {
        for (const uint32_t cpu : cpus_of(cell)) {
            left.erase(cpu);
        }
    }
    if (left.empty()) {
        return;
    }
    NumaCell& first = def.cpu->cells.front();
    left.merge(cpus_of(first));
    first.cpus = text_of(left);
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
