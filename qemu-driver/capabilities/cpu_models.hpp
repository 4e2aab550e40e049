// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_features.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Processors and the named models that describe them.
namespace vireo::qemu {

struct CpuModel;
struct QemuCapabilities;

/// What a processor is, or a model stands for.
struct CpuFacts {
    std::string vendor; ///< as libvirt's documents call it: "Intel", "AMD", "Hygon"
    unsigned family = 0, model = 0, stepping = 0;
    CpuFeatures features;

    bool operator==(const CpuFacts&) const = default;
};

/// The processor that a guest of the host can have at most.
struct HostCpuFacts {
    CpuFacts all;
    CpuFeatures migratable; ///< those of its features that do not bind the guest to this host

    bool operator==(const HostCpuFacts&) const = default;

    CpuFacts of_migratable_guest() const {
        return {all.vendor, all.family, all.model, all.stepping, all.features & migratable};
    }
};

/// What a name stands for: of its features those that is_of_models() counts.
struct NamedCpu {
    std::string name;
    CpuFacts facts;

    bool operator==(const NamedCpu&) const = default;
};

using CpuModels = std::vector<NamedCpu>;

/// The most that a guest can have under KVM or TCG; nothing where QEMU did not say.
std::optional<HostCpuFacts> host_cpu(const QemuCapabilities& caps, bool kvm);

/// Reads "props" of `query-cpu-model-expansion`.
CpuFacts cpu_facts(const nlohmann::json& props);

/// "AuthenticAMD" is "AMD" in libvirt's documents; others likewise, unknown ones as they are.
std::string libvirt_vendor(std::string_view cpuid);

/// A model that no vendor has made and that any host may play (`qemu64`, `pentium`).
bool is_generic_model(std::string_view name);
/// Neither a mode ("host", "max", "base") nor one version of a model ("Haswell-v2").
bool is_named_model(std::string_view name);

/// A processor in the words of a document: a model, what it has beyond it and what it lacks.
struct CpuChoice {
    std::string model;
    std::string vendor;
    CpuFeatures required;
    CpuFeatures disabled;
};

/// `cpu` as the model `named` and what is different. `definition`: QEMU's word on that model, which
/// may lack features on this host.
CpuChoice choice_of(const CpuFacts& cpu, const NamedCpu& named, const CpuModel* definition);

struct NearestWish {
    std::set<std::string> preferred = {}; ///< one alone is taken where QEMU has it
    bool any_host = false;                ///< whatever QEMU lacks on this one
    bool only_beyond = false;             ///< no model of which the processor lacks anything
};

/// The model that says the most about `cpu`: of its vendor (or generic), of its family and model
/// where there is one, with the fewest differences, among which what has to be taken from a model
/// weighs more; the newer of equals. Only what `definitions` holds is looked at. Nothing where
/// there is no model.
std::optional<CpuChoice> nearest_model(const CpuFacts& cpu,
                                       const CpuModels& models,
                                       std::span<const CpuModel> definitions,
                                       const NearestWish& wish = {});

} // namespace vireo::qemu
