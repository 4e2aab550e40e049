// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/cpu_models.hpp"

#include "qemu-driver/capabilities/known_models.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr std::pair<std::string_view, std::string_view> vendors[] = {
    {"AuthenticAMD", "AMD"}, {"GenuineIntel", "Intel"}, {"HygonGenuine", "Hygon"}};

constexpr std::string_view generic_models[] = {
    "486", "kvm32", "kvm64", "pentium", "pentium2", "pentium3", "pentiumpro", "qemu32", "qemu64"};

constexpr std::string_view modes[] = {"base", "host", "max"};

/// How well a model suits.
struct Fit {
    bool same_processor = false;
    std::size_t less = 0; ///< what is to be taken away from it
    std::size_t all = 0;  ///< that, and what it does not say
    bool preferred = false;

    bool better_than(const Fit& other) const {
        if (same_processor != other.same_processor) {
            return same_processor;
        }
        return all < other.all || (less < other.less && (preferred || all == other.all));
    }
};

/// Programs may crash without what their processor is known to have, so each feature that has to
/// be taken away weighs more than the one before: 2, 3, 4 ... As libvirt 9.0 has it (src/cpu,
/// virCPUx86CompareCandidateFeatureList), where the loop ends half way through them: the rest weigh
/// 1, as additional features do.
Fit fit_of(const CpuFacts& cpu, const NamedCpu& named, const CpuChoice& choice) {
    const std::size_t taken = choice.disabled.count();
    const std::size_t weighed = (taken + 1) / 2;
    const KnownModel* known = known_model(named.name);
    Fit fit;
    fit.same_processor = known ? known->is_of(cpu)
                               : named.facts.family == cpu.family && named.facts.model == cpu.model;
    fit.less = weighed * (weighed + 3) / 2;
    fit.all = choice.required.count() + (taken - weighed) + fit.less;
    return fit;
}

/// The models in question, the newest first.
std::vector<const CpuModel*> candidates(std::span<const CpuModel> definitions) {
    std::vector<const CpuModel*> all;
    for (const CpuModel& definition : definitions) {
        if (is_named_model(definition.name)) {
            all.push_back(&definition);
        }
    }
    std::ranges::stable_sort(
        all, std::ranges::greater(), [](const CpuModel* model) { return age_rank(model->name); });
    return all;
}

} // namespace

std::string libvirt_vendor(std::string_view cpuid) {
    for (const auto& [word, name] : vendors) {
        if (word == cpuid) {
            return std::string(name);
        }
    }
    return std::string(cpuid);
}

bool is_generic_model(std::string_view name) {
    return std::ranges::find(generic_models, name) != std::end(generic_models);
}

bool is_named_model(std::string_view name) {
    if (std::ranges::find(modes, name) != std::end(modes)) {
        return false;
    }
    const auto version = name.rfind("-v");
    return version == std::string_view::npos || version + 2 == name.size() ||
           name.find_first_not_of("0123456789", version + 2) != std::string_view::npos;
}

CpuFacts cpu_facts(const nlohmann::json& props) {
    CpuFacts facts;
    facts.vendor = libvirt_vendor(props.value("vendor", ""));
    facts.family = props.value("family", 0U);
    facts.model = props.value("model", 0U);
    facts.stepping = props.value("stepping", 0U);
    const auto names = cpu_feature_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto found = props.find(names[i]);
        facts.features.set(i, found != props.end() && *found == true);
    }
    return facts;
}

CpuChoice choice_of(const CpuFacts& cpu, const NamedCpu& named, const CpuModel* definition) {
    CpuChoice choice;
    choice.model = named.name;
    choice.vendor = cpu.vendor;
    choice.required = cpu.features & ~named.facts.features;
    choice.disabled = named.facts.features & ~cpu.features;
    for (const std::string& name :
         definition ? definition->unavailable_features : std::vector<std::string>()) {
        if (const auto place = cpu_feature(name); place && !cpu.features[*place]) {
            choice.disabled.set(*place);
        }
    }
    return choice;
}

std::optional<CpuChoice> nearest_model(const CpuFacts& cpu,
                                       const CpuModels& models,
                                       std::span<const CpuModel> definitions,
                                       const NearestWish& wish) {
    std::optional<CpuChoice> best;
    Fit best_fit;
    for (const CpuModel* definition : candidates(definitions)) {
        const auto named = std::ranges::find(models, definition->name, &NamedCpu::name);
        if (named == models.end()) {
            continue;
        }
        const bool foreign = named->facts.vendor != cpu.vendor && !is_generic_model(named->name);
        const KnownModel* known = known_model(named->name);
        const bool for_hosts_alone = known && !known->for_guests && !wish.only_beyond;
        if ((foreign && !cpu.vendor.empty()) || for_hosts_alone) {
            continue;
        }
        CpuChoice choice = choice_of(cpu, *named, wish.any_host ? nullptr : definition);
        if (wish.only_beyond && choice.disabled.any()) {
            continue;
        }
        Fit fit = fit_of(cpu, *named, choice);
        fit.preferred = wish.preferred.contains(named->name);
        if (fit.preferred && wish.preferred.size() == 1) {
            return choice;
        }
        if (!best || fit.better_than(best_fit)) {
            best = std::move(choice);
            best_fit = fit;
        }
    }
    return best;
}

} // namespace vireo::qemu
