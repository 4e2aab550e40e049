// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/cpu_models.hpp"

#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr std::pair<std::string_view, std::string_view> vendors[] = {
    {"AuthenticAMD", "AMD"}, {"GenuineIntel", "Intel"}, {"HygonGenuine", "Hygon"}};

constexpr std::string_view generic_models[] = {
    "486", "kvm32", "kvm64", "pentium", "pentium2", "pentium3", "qemu32", "qemu64"};

constexpr std::string_view modes[] = {"base", "host", "max"};

/// How well a model suits; the better one is greater.
struct Fit {
    bool same_processor = false;
    std::size_t differences = 0;
    std::size_t said = 0; // by the model's name alone

    bool better_than(const Fit& other) const {
        if (same_processor != other.same_processor) {
            return same_processor;
        }
        return differences != other.differences ? differences < other.differences
                                                : said > other.said;
    }
};

Fit fit_of(const CpuFacts& cpu, const NamedCpu& named, const CpuChoice& choice) {
    Fit fit;
    fit.same_processor = !is_generic_model(named.name) && named.facts.family == cpu.family &&
                         named.facts.model == cpu.model;
    fit.differences = choice.required.count() + 2 * choice.disabled.count();
    fit.said = named.facts.features.count();
    return fit;
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
    for (const CpuModel& definition : definitions) {
        const auto named = std::ranges::find(models, definition.name, &NamedCpu::name);
        if (named == models.end() || !is_named_model(named->name)) {
            continue;
        }
        const bool foreign = named->facts.vendor != cpu.vendor && !is_generic_model(named->name);
        if (foreign && !cpu.vendor.empty()) {
            continue;
        }
        CpuChoice choice = choice_of(cpu, *named, wish.any_host ? nullptr : &definition);
        if (wish.only_beyond && choice.disabled.any()) {
            continue;
        }
        if (named->name == wish.preferred) {
            return choice;
        }
        const Fit fit = fit_of(cpu, *named, choice);
        if (!best || fit.better_than(best_fit)) {
            best = std::move(choice);
            best_fit = fit;
        }
    }
    return best;
}

} // namespace vireo::qemu
