// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/cpu_models_cache.hpp"

#include "qemu-driver/capabilities/identity_json.hpp"
#include "qemu-driver/capabilities/packed_cpu.hpp"
#include "qemu-driver/capabilities/probe_binary.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Goes up whenever a field is added or means something else.
constexpr int models_format = 2;

ProbedKind<CpuModels> kind_for(bool kvm) {
    ProbedKind<CpuModels> kind;
    kind.suffix = kvm ? ".cpu-kvm.json" : ".cpu-tcg.json";
    kind.probe = [kvm](Loop& loop, BinaryIdentity identity, std::chrono::milliseconds limit) {
        return probe_cpu_models(loop, std::move(identity.path), kvm, limit);
    };
    kind.to_text = &cpu_models_to_cache;
    kind.from_text = &cpu_models_from_cache;
    return kind;
}

} // namespace

CpuModelsCache::CpuModelsCache(Loop& loop, std::string folder, bool kvm, ProbeLimits limits)
    : ProbedCache(loop, std::move(folder), kind_for(kvm), limits) {}

std::string cpu_models_to_cache(const BinaryIdentity& identity, const CpuModels& models) {
    json file = json::object();
    file["format"] = models_format;
    file["identity"] = identity;
    json& list = file["models"] = json::array();
    for (const NamedCpu& named : models) {
        list.push_back(json::array({named.name, packed(named.facts)}));
    }
    return file.dump();
}

std::optional<CpuModels> cpu_models_from_cache(std::string_view text,
                                               const BinaryIdentity& identity) {
    const json file = json::parse(text, nullptr, false);
    try {
        if (file.is_discarded() || file.at("format") != models_format ||
            file.at("identity").get<BinaryIdentity>() != identity) {
            return std::nullopt;
        }
        CpuModels models;
        for (const json& record : file.at("models")) {
            NamedCpu& named = models.emplace_back();
            named.name = record.at(0).get<std::string>();
            named.facts = unpacked_facts(record.at(1));
        }
        return models;
    } catch (const json::exception&) {
        return std::nullopt; // damaged or written by another version: as good as absent
    }
}

} // namespace vireo::qemu
