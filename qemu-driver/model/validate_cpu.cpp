// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

void check_vcpu_count(const DomainDef& def) {
    const VcpuDef& v = def.vcpus;
    if (v.maximum == 0) {
        refuse(def.where, "vcpu", "a guest has at least one");
    }
    if (v.current && (*v.current == 0 || *v.current > v.maximum)) {
        refuse(def.where, "vcpu", "current='{}' is not from 1 to {}", *v.current, v.maximum);
    }
}

void check_vcpu_states(const VcpuDef& v) {
    std::set<uint32_t> seen, orders;
    check_each(v.states, [&](const VcpuState& state) {
        if (state.id >= v.maximum || !seen.insert(state.id).second) {
            refuse(state.where,
                   "vcpu",
                   "id='{}' is there twice, or not below {}",
                   state.id,
                   v.maximum);
        }
        const bool on = state.enabled == YesNo::yes;
        if (state.id == 0 && (!on || state.hotpluggable == YesNo::yes)) {
            refuse(
                state.where, "vcpu", "vCPU 0 boots the guest: it is enabled and not hotpluggable");
        }
        if (!on && state.hotpluggable == YesNo::no) {
            refuse(state.where,
                   "vcpu",
                   "id='{}' is not enabled and can never be: hotpluggable='no'",
                   state.id);
        }
        if (state.order && (!on || *state.order == 0 || !orders.insert(*state.order).second)) {
            refuse(state.where,
                   "vcpu",
                   "order='{}' of id='{}': each enabled vCPU has one, from 1 on",
                   *state.order,
                   state.id);
        }
    });
}

void check_enabled_vcpus(const DomainDef& def) {
    const VcpuDef& v = def.vcpus;
    const auto enabled = std::ranges::count(v.states, YesNo::yes, &VcpuState::enabled);
    if (!v.states.empty() && enabled != v.current.value_or(v.maximum)) {
        refuse(v.states.front().where,
               "vcpus",
               "{} are enabled, <vcpu> says {}",
               enabled,
               v.current.value_or(v.maximum));
    }
}

void check_features(const CpuDef& cpu) {
    std::set<std::string> seen;
    check_each(cpu.features, [&](const CpuFeature& feature) {
        if (!seen.insert(feature.name).second) {
            refuse(feature.where, "feature", "name='{}' is there twice", feature.name);
        }
    });
    const bool custom = cpu.mode.value_or(CpuMode::custom) == CpuMode::custom;
    const bool model = cpu.model && !cpu.model->name.empty();
    if (custom && !model && !cpu.features.empty()) {
        refuse(
            cpu.features.front().where, "feature", "features are changes to a <model>; name one");
    }
}

void check_model(const CpuDef& cpu) {
    if (!cpu.model) {
        return;
    }
    const CpuModelDef& model = *cpu.model;
    const CpuMode mode = cpu.mode.value_or(CpuMode::custom);
    if (mode != CpuMode::custom && mode != CpuMode::host_model && !model.name.empty()) {
        refuse(model.where,
               "model",
               "'{}': mode='{}' takes the host's; remove the element",
               model.name,
               name_of(mode));
    }
    constexpr std::size_t vendor_length = 12; // CPUID leaf 0: three registers
    if (model.vendor_id && (model.vendor_id->size() != vendor_length ||
                            model.vendor_id->find(',') != std::string::npos)) {
        refuse(model.where,
               "model",
               "vendor_id='{}' is not {} characters without a comma",
               *model.vendor_id,
               vendor_length);
    }
}

void check_migratable(const CpuDef& cpu) {
    if (cpu.migratable && cpu.mode != CpuMode::host_passthrough && cpu.mode != CpuMode::maximum) {
        refuse(cpu.where, "cpu", "migratable= is for mode='host-passthrough' and 'maximum'");
    }
}

void check_topology(const DomainDef& def, const CpuDef& cpu) {
    if (!cpu.topology) {
        return;
    }
    const CpuTopology& t = *cpu.topology;
    if (t.sockets == 0 || t.dies == 0 || t.cores == 0 || t.threads == 0) {
        refuse(t.where, "topology", "sockets, dies, cores and threads are numbers from 1 on");
    }
    const uint64_t product = uint64_t{t.sockets} * t.dies * t.cores * t.threads;
    if (product != def.vcpus.maximum) {
        refuse(t.where,
               "topology",
               "{} sockets of {} dies, {} cores, {} threads are {} vCPUs; <vcpu> has {}",
               t.sockets,
               t.dies,
               t.cores,
               t.threads,
               product,
               def.vcpus.maximum);
    }
}

void check_cache(const CpuDef& cpu) {
    if (!cpu.cache) {
        return;
    }
    constexpr uint32_t last_level = 3;
    const CpuCache& cache = *cpu.cache;
    const bool host = cpu.mode == CpuMode::host_passthrough || cpu.mode == CpuMode::maximum;
    switch (cache.mode) {
    case CpuCacheMode::passthrough:
        if (!host) {
            refuse(cache.where,
                   "cache",
                   "mode='passthrough' shows the host's: it needs <cpu mode='host-passthrough'>");
        }
        if (cache.level) {
            refuse(cache.where, "cache", "mode='passthrough' is for all levels; remove level=");
        }
        break;
    case CpuCacheMode::emulate:
        if (cache.level != last_level) {
            refuse(cache.where, "cache", "mode='emulate' is there for level='{}'", last_level);
        }
        break;
    case CpuCacheMode::disable:
        if (cache.level) {
            refuse(cache.where, "cache", "mode='disable' is for all levels; remove level=");
        }
        break;
    }
}

void check_phys_bits(const CpuDef& cpu) {
    if (!cpu.phys_bits) {
        return;
    }
    const CpuPhysBits& bits = *cpu.phys_bits;
    const bool passthrough = bits.mode == PhysBitsMode::passthrough;
    if (passthrough && cpu.mode != CpuMode::host_passthrough) {
        refuse(bits.where, "maxphysaddr", "mode='passthrough' needs <cpu mode='host-passthrough'>");
    }
    if (passthrough && bits.bits) {
        refuse(bits.where, "maxphysaddr", "mode='passthrough' is the host's number; remove bits=");
    }
    if (!passthrough && !bits.bits) {
        refuse(bits.where, "maxphysaddr", "mode='emulate' needs bits=");
    }
    if (!passthrough && bits.limit) {
        refuse(bits.where, "maxphysaddr", "limit= is for mode='passthrough'");
    }
}

/// Beyond 255 vCPUs interrupts need the extended mode of an IOMMU.
void check_many(const DomainDef& def) {
    constexpr uint32_t most = 255;
    if (def.vcpus.maximum <= most) {
        return;
    }
    if (!def.os.is_q35()) {
        refuse(def.where, "vcpu", "more than {} vCPUs need a machine 'q35'", most);
    }
    if (!def.devices.iommu || def.devices.iommu->eim != OnOff::on) {
        refuse(
            def.where, "vcpu", "more than {} vCPUs need <iommu model='intel'> with eim='on'", most);
    }
}

/// Shares of the host's caches and of its memory's bandwidth.
void check_shares(const DomainDef& def) {
    if (def.cputune && def.type == DomainType::qemu &&
        (!def.cputune->cache_tunes.empty() || !def.cputune->memory_tunes.empty())) {
        refuse(def.cputune->where,
               def.cputune->cache_tunes.empty() ? "memorytune" : "cachetune",
               "it needs <domain type='kvm'>, whose vCPUs are threads of the host");
    }
}

void check_passthrough(const DomainDef& def, const CpuDef& cpu) {
    if (cpu.mode == CpuMode::host_passthrough && def.type == DomainType::qemu) {
        refuse(cpu.where, "cpu", "mode='host-passthrough' needs <domain type='kvm'>");
    }
}

} // namespace

void validate_cpu(const DomainDef& def) {
    Refusals refusals;
    refusals.attempt([&] { check_vcpu_count(def); });
    refusals.attempt([&] { check_vcpu_states(def.vcpus); });
    refusals.attempt([&] { check_enabled_vcpus(def); });
    if (def.cpu) {
        refusals.attempt([&] { check_features(*def.cpu); });
        refusals.attempt([&] { check_model(*def.cpu); });
        refusals.attempt([&] { check_migratable(*def.cpu); });
        refusals.attempt([&] { check_topology(def, *def.cpu); });
    }
    refusals.raise();
}

void validate_qemu_cpu(const DomainDef& def) {
    Refusals refusals;
    refusals.attempt([&] { check_many(def); });
    refusals.attempt([&] { check_shares(def); });
    if (def.cpu) {
        refusals.attempt([&] { check_cache(*def.cpu); });
        refusals.attempt([&] { check_phys_bits(*def.cpu); });
        refusals.attempt([&] { check_passthrough(def, *def.cpu); });
    }
    refusals.raise();
}

} // namespace vireo::qemu
