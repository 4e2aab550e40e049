// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/guest_cpu.hpp"

#include "qemu-driver/capabilities/known_models.hpp"
#include "qemu-driver/model/problem.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

/// Features of the host's own work, which no guest has.
constexpr std::string_view host_only[] = {"cmt", "mbm_local", "mbm_total", "osxsave", "ospke"};

/// Has the document its own model, as it is not a mode's?
bool names_model(const CpuDef& cpu) {
    return cpu.mode.value_or(CpuMode::custom) == CpuMode::custom && cpu.model &&
           !cpu.model->name.empty();
}

bool takes_host_model(const CpuDef& cpu) {
    return cpu.mode == CpuMode::host_model || (names_model(cpu) && cpu.match == CpuMatch::minimum);
}

CpuFeaturePolicy policy_of(const CpuFeature& feature) {
    return feature.policy.value_or(CpuFeaturePolicy::require);
}

std::string listed(const CpuFeatures& features) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
        if (features[i]) {
            names.push_back(libvirt_feature(cpu_feature_names()[i]));
        }
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

CpuFeatures with_policy(const CpuDef& cpu, std::initializer_list<CpuFeaturePolicy> wanted) {
    CpuFeatures features;
    for (const CpuFeature& feature : cpu.features) {
        const auto place = cpu_feature(feature.name);
        if (place && std::ranges::find(wanted, policy_of(feature)) != wanted.end()) {
            features.set(*place);
        }
    }
    return features;
}

const CpuModel* definition_of(const CpuHost& host, std::string_view name) {
    const auto found = std::ranges::find(host.definitions, name, &CpuModel::name);
    return found == host.definitions.end() ? nullptr : &*found;
}

const NamedCpu* facts_of(const CpuHost& host, std::string_view name) {
    const auto found = std::ranges::find(host.models, name, &NamedCpu::name);
    return found == host.models.end() ? nullptr : &*found;
}

/// What the model has that guests of this host cannot have: QEMU's own word.
CpuFeatures missing_of(const CpuModel& definition, bool to_the_letter) {
    CpuFeatures missing;
    for (const std::string& name : definition.unavailable_features) {
        const auto place = cpu_feature(name);
        if (place && (to_the_letter || is_of_models(*place))) {
            missing.set(*place);
        }
    }
    return missing;
}

/// Throws config_unsupported.
const CpuModel* required_definition(const CpuDef& cpu, const CpuHost& host) {
    if (!cpu.model || cpu.model->name.empty()) {
        return nullptr;
    }
    const CpuModel* definition = definition_of(host, cpu.model->name);
    if (!definition) {
        refuse(cpu.where, "model", "this QEMU has no CPU model '{}'", cpu.model->name);
    }
    return definition;
}

CpuVerdict incompatible(std::string why) {
    return {CpuComparison::incompatible, std::move(why)};
}

/// A feature's policy, put where the list has it or at its end.
void set_feature(CpuDef& cpu, std::string_view name, CpuFeaturePolicy policy) {
    const auto place = cpu_feature(name);
    for (CpuFeature& feature : cpu.features) {
        if (feature.name == name || (place && cpu_feature(feature.name) == place)) {
            feature.policy = policy;
            return;
        }
    }
    cpu.features.push_back({std::string(name), policy});
}

/// What QEMU's model lost and the name still stands for, as libvirt writes it down.
void disable_removed(CpuDef& cpu) {
    const KnownModel* known = known_model(cpu.model->name);
    const auto is_removed = [&](const CpuFeature& feature) {
        return feature.name == known->removed;
    };
    if (known && !known->removed.empty() && std::ranges::none_of(cpu.features, is_removed)) {
        cpu.features.push_back({std::string(known->removed), CpuFeaturePolicy::disable});
    }
}

void drop_host_only(CpuDef& cpu) {
    std::erase_if(cpu.features, [](const CpuFeature& feature) {
        return std::ranges::find(host_only, feature.name) != std::end(host_only);
    });
}

/// The host decides on what is wished if it can be had.
void settle_optional(CpuDef& cpu, const HostCpuFacts& host) {
    for (CpuFeature& feature : cpu.features) {
        if (policy_of(feature) == CpuFeaturePolicy::optional) {
            const auto place = cpu_feature(feature.name);
            feature.policy = place && host.all.features[*place] ? CpuFeaturePolicy::require
                                                                : CpuFeaturePolicy::disable;
        }
    }
}

void become_host_model(CpuDef& cpu, const CpuHost& host) {
    const auto choice = host_model(host, true);
    if (!choice) {
        refuse(cpu.where, "cpu", "this QEMU has no model that describes the host's processor");
    }
    CpuDef chosen = cpu_def_of(*choice);
    chosen.model->vendor_id = cpu.model ? cpu.model->vendor_id : std::nullopt;
    for (const CpuFeature& feature : cpu.features) {
        set_feature(chosen, feature.name, policy_of(feature));
    }
    cpu.mode = CpuMode::custom;
    cpu.match = CpuMatch::exact;
    cpu.model = std::move(chosen.model);
    cpu.vendor = std::move(chosen.vendor);
    cpu.features = std::move(chosen.features);
}

/// A partial check leaves a model that QEMU can give as the document wants it to QEMU, as libvirt
/// does: features beyond it are then not looked at.
bool is_compared(const CpuDef& cpu, const CpuHost& host) {
    using enum CpuFeaturePolicy;
    const auto check = cpu.check.value_or(CpuCheck::none);
    if (check != CpuCheck::partial) {
        return check == CpuCheck::full;
    }
    const CpuModel* definition = definition_of(host, cpu.model ? cpu.model->name : "");
    const bool usable =
        definition && (missing_of(*definition, true) & ~with_policy(cpu, {disable, forbid})).none();
    return !usable || cpu.match == CpuMatch::strict;
}

} // namespace

bool needs_cpu_models(const CpuDef& cpu) {
    return takes_host_model(cpu) || (names_model(cpu) && cpu.match == CpuMatch::strict);
}

std::optional<CpuChoice> host_model(const CpuHost& host, bool migratable) {
    CpuFacts facts = migratable ? host.cpu.of_migratable_guest() : host.cpu.all;
    if (has_broken_tsx(facts)) {
        facts.features.reset(cpu_feature("hle").value());
        facts.features.reset(cpu_feature("rtm").value());
    }
    return nearest_model(facts, host.models, host.definitions);
}

CpuDef cpu_def_of(const CpuChoice& choice) {
    CpuDef cpu;
    cpu.mode = CpuMode::custom;
    cpu.match = CpuMatch::exact;
    cpu.model.emplace();
    cpu.model->fallback = CpuFallback::forbid;
    cpu.model->name = choice.model;
    if (!choice.vendor.empty()) {
        cpu.vendor = choice.vendor;
    }
    const auto add = [&](const CpuFeatures& features, CpuFeaturePolicy policy) {
        for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
            if (features[i]) {
                cpu.features.push_back(
                    {std::string(libvirt_feature(cpu_feature_names()[i])), policy});
            }
        }
    };
    add(choice.required, CpuFeaturePolicy::require);
    add(choice.disabled, CpuFeaturePolicy::disable);
    return cpu;
}

CpuVerdict compare_cpu(const CpuDef& cpu, const CpuHost& host) {
    using enum CpuFeaturePolicy;
    const CpuFacts& has = host.cpu.all;
    if (cpu.vendor && *cpu.vendor != has.vendor) {
        return incompatible(fmt::format(
            "the host's processor is of vendor '{}', not '{}'", has.vendor, *cpu.vendor));
    }
    const CpuFeatures forbidden = with_policy(cpu, {forbid}) & has.features;
    if (forbidden.any()) {
        return incompatible("the host has features that are forbidden: " + listed(forbidden));
    }
    const CpuModel* definition = required_definition(cpu, host);
    CpuFeatures missing =
        definition ? missing_of(*definition, cpu.check == CpuCheck::full) : CpuFeatures();
    missing |= with_policy(cpu, {require}) & ~has.features;
    missing &= ~with_policy(cpu, {force, optional, disable, forbid});
    if (missing.any()) {
        return incompatible("the host does not have required features: " + listed(missing));
    }
    CpuFeatures extra = has.features & ~with_policy(cpu, {force, require, optional, disable});
    if (const NamedCpu* named = facts_of(host, cpu.model ? cpu.model->name : "")) {
        extra &= ~named->facts.features;
    }
    if (extra.any() && cpu.match == CpuMatch::strict) {
        return incompatible("the host has features that match='strict' does not allow: " +
                            listed(extra));
    }
    return {extra.any() ? CpuComparison::superset : CpuComparison::identical, {}};
}

void resolve_cpu(CpuDef& cpu, const CpuHost& host) {
    const bool from_host = cpu.mode == CpuMode::host_model;
    if (!from_host && !names_model(cpu)) {
        return; // the whole host, the most that QEMU has, or the machine's own
    }
    if (!from_host) {
        required_definition(cpu, host);
    }
    if (is_compared(cpu, host)) {
        const CpuVerdict verdict = compare_cpu(cpu, host);
        if (verdict.result == CpuComparison::incompatible) {
            throw Error(ErrorCode::cpu_incompatible, "{}", located(cpu.where, "cpu", verdict.why));
        }
    }
    settle_optional(cpu, host.cpu);
    if (takes_host_model(cpu)) {
        become_host_model(cpu, host);
    }
    cpu.model->fallback = CpuFallback::forbid;
    disable_removed(cpu);
    drop_host_only(cpu);
}

} // namespace vireo::qemu
