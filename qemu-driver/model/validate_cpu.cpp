// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/problem.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

void check_vcpus(const DomainDef& def) {
    const VcpuDef& v = def.vcpus;
    if (v.maximum == 0) {
        refuse(def.where, "vcpu", "a guest has at least one");
    }
    if (v.current && (*v.current == 0 || *v.current > v.maximum)) {
        refuse(def.where, "vcpu", "current='{}' is not from 1 to {}", *v.current, v.maximum);
    }
    if (v.states.empty()) {
        return;
    }
    uint32_t enabled = 0;
    std::set<uint32_t> seen, orders;
    for (const VcpuState& state : v.states) {
        if (state.id >= v.maximum || !seen.insert(state.id).second) {
            refuse(
                def.where, "vcpus", "id='{}' is there twice, or not below {}", state.id, v.maximum);
        }
        const bool on = state.enabled == YesNo::yes;
        enabled += on ? 1 : 0;
        if (state.id == 0 && (!on || state.hotpluggable == YesNo::yes)) {
            refuse(
                def.where, "vcpus", "vCPU 0 boots the guest: it is enabled and not hotpluggable");
        }
        if (!on && state.hotpluggable == YesNo::no) {
            refuse(def.where,
                   "vcpus",
                   "id='{}' is not enabled and can never be: hotpluggable='no'",
                   state.id);
        }
        if (state.order && (!on || *state.order == 0 || !orders.insert(*state.order).second)) {
            refuse(def.where,
                   "vcpus",
                   "order='{}' of id='{}': each enabled vCPU has one, from 1 on",
                   *state.order,
                   state.id);
        }
    }
    if (enabled != v.current.value_or(v.maximum)) {
        refuse(def.where,
               "vcpus",
               "{} are enabled, <vcpu> says {}",
               enabled,
               v.current.value_or(v.maximum));
    }
}

void check_features(const CpuDef& cpu) {
    std::set<std::string> seen;
    for (const CpuFeature& feature : cpu.features) {
        if (!seen.insert(feature.name).second) {
            refuse(cpu.where, "feature", "name='{}' is there twice", feature.name);
        }
    }
    const bool custom = cpu.mode.value_or(CpuMode::custom) == CpuMode::custom;
    const bool model = cpu.model && !cpu.model->name.empty();
    if (custom && !model && !cpu.features.empty()) {
        refuse(cpu.where, "feature", "features are changes to a <model>; name one");
    }
    if (!custom && model && cpu.mode != CpuMode::host_model) {
        refuse(cpu.where,
               "model",
               "'{}': mode='{}' takes the host's; remove the element",
               cpu.model->name,
               name_of(*cpu.mode));
    }
    constexpr std::size_t vendor_length = 12; // CPUID leaf 0: three registers
    if (cpu.model && cpu.model->vendor_id &&
        (cpu.model->vendor_id->size() != vendor_length ||
         cpu.model->vendor_id->find(',') != std::string::npos)) {
        refuse(cpu.where,
               "model",
               "vendor_id='{}' is not {} characters without a comma",
               *cpu.model->vendor_id,
               vendor_length);
    }
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
        refuse(cpu.where, "topology", "sockets, dies, cores and threads are numbers from 1 on");
    }
    const uint64_t product = uint64_t{t.sockets} * t.dies * t.cores * t.threads;
    if (product != def.vcpus.maximum) {
        refuse(cpu.where,
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
            refuse(cpu.where,
                   "cache",
                   "mode='passthrough' shows the host's: it needs <cpu mode='host-passthrough'>");
        }
        if (cache.level) {
            refuse(cpu.where, "cache", "mode='passthrough' is for all levels; remove level=");
        }
        break;
    case CpuCacheMode::emulate:
        if (cache.level != last_level) {
            refuse(cpu.where, "cache", "mode='emulate' is there for level='{}'", last_level);
        }
        break;
    case CpuCacheMode::disable:
        if (cache.level) {
            refuse(cpu.where, "cache", "mode='disable' is for all levels; remove level=");
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
        refuse(cpu.where, "maxphysaddr", "mode='passthrough' needs <cpu mode='host-passthrough'>");
    }
    if (passthrough && bits.bits) {
        refuse(cpu.where, "maxphysaddr", "mode='passthrough' is the host's number; remove bits=");
    }
    if (!passthrough && !bits.bits) {
        refuse(cpu.where, "maxphysaddr", "mode='emulate' needs bits=");
    }
    if (!passthrough && bits.limit) {
        refuse(cpu.where, "maxphysaddr", "limit= is for mode='passthrough'");
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

} // namespace

void validate_cpu(const DomainDef& def) {
    check_vcpus(def);
    if (def.cpu) {
        check_features(*def.cpu);
        check_topology(def, *def.cpu);
    }
}

void validate_qemu_cpu(const DomainDef& def) {
    check_many(def);
    if (def.cputune && def.type == DomainType::qemu &&
        (!def.cputune->cache_tunes.empty() || !def.cputune->memory_tunes.empty())) {
        refuse(def.cputune->where,
               def.cputune->cache_tunes.empty() ? "memorytune" : "cachetune",
               "it needs <domain type='kvm'>, whose vCPUs are threads of the host");
    }
    if (def.cpu) {
        check_cache(*def.cpu);
        check_phys_bits(*def.cpu);
        if (def.cpu->mode == CpuMode::host_passthrough && def.type == DomainType::qemu) {
            refuse(def.cpu->where, "cpu", "mode='host-passthrough' needs <domain type='kvm'>");
        }
    }
}

} // namespace vireo::qemu
