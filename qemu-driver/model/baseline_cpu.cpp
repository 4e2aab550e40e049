// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/guest_cpu.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

void apply_features(const CpuDef& cpu, CpuFeatures& features) {
    for (const CpuFeature& feature : cpu.features) {
        const auto place = cpu_feature(feature.name);
        const auto policy = feature.policy.value_or(CpuFeaturePolicy::require);
        if (place) {
            features.set(*place,
                         policy != CpuFeaturePolicy::disable && policy != CpuFeaturePolicy::forbid);
        }
    }
}

/// The vendor that all of them are of; empty where none says.
std::string common_vendor(std::span<const CpuDef> cpus, std::span<const CpuFacts> facts) {
    std::string vendor;
    for (std::size_t i = 0; i < cpus.size(); ++i) {
        if (!cpus[i].vendor && is_generic_model(cpus[i].model->name)) {
            continue;
        }
        if (!vendor.empty() && vendor != facts[i].vendor) {
            throw Error(ErrorCode::operation_failed,
                        "the CPUs are of different vendors: '{}' and '{}'",
                        vendor,
                        facts[i].vendor);
        }
        vendor = facts[i].vendor;
    }
    return vendor;
}

/// Puts the model's own features before the changes to it.
void expand_model(CpuDef& cpu, const CpuFeatures& of_model) {
    std::vector<CpuFeature> all;
    for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
        const bool changed = std::ranges::any_of(cpu.features, [&](const CpuFeature& feature) {
            return cpu_feature(feature.name) == i;
        });
        if (of_model[i] && !changed) {
            all.push_back(
                {std::string(libvirt_feature(cpu_feature_names()[i])), CpuFeaturePolicy::require});
        }
    }
    cpu.features.insert(cpu.features.begin(), all.begin(), all.end());
}

} // namespace

CpuFacts described_cpu(const CpuDef& cpu, const CpuHost& host) {
    const std::string name = cpu.model ? cpu.model->name : "";
    const auto named = std::ranges::find(host.models, name, &NamedCpu::name);
    if (named == host.models.end()) {
        refuse(cpu.where, "model", "this QEMU has no CPU model '{}'", name);
    }
    CpuFacts facts = named->facts;
    facts.vendor = cpu.vendor.value_or(facts.vendor);
    apply_features(cpu, facts.features);
    return facts;
}

CpuDef
baseline_cpu(std::span<const CpuDef> cpus, const CpuHost& host, bool expand, bool migratable) {
    std::vector<CpuFacts> facts;
    for (const CpuDef& cpu : cpus) {
        facts.push_back(described_cpu(cpu, host));
    }
    CpuFacts common = facts.front();
    common.vendor = common_vendor(cpus, facts);
    common.family = 0; // of no one of them
    for (const CpuFacts& one : facts) {
        common.features &= one.features;
    }
    if (migratable) {
        common.features &= ~(host.cpu.all.features & ~host.cpu.migratable);
        common.features.reset(cpu_feature("invtsc").value());
    }
    NearestWish wish;
    wish.any_host = true;
    for (const CpuDef& cpu : cpus) {
        wish.preferred.insert(cpu.model->name);
    }
    const auto choice = nearest_model(common, host.models, host.definitions, wish);
    if (common.features.none() || !choice) {
        throw Error(ErrorCode::operation_failed, "the CPUs have nothing in common");
    }
    CpuDef baseline = cpu_def_of(*choice);
    const bool all_say_vendor =
        std::ranges::all_of(cpus, [](const CpuDef& cpu) { return cpu.vendor.has_value(); });
    if (!all_say_vendor) {
        baseline.vendor.reset();
    }
    baseline.model->fallback =
        wish.preferred == std::set{choice->model} ? CpuFallback::forbid : CpuFallback::allow;
    if (expand) {
        expand_model(
            baseline,
            std::ranges::find(host.models, choice->model, &NamedCpu::name)->facts.features);
    }
    return baseline;
}

} // namespace vireo::qemu
