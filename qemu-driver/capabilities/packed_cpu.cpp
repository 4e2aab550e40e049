// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/packed_cpu.hpp"

#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

json packed(const CpuFacts& facts) {
    std::string features;
    for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
        if (facts.features[i]) {
            features += features.empty() ? "" : " ";
            features += cpu_feature_names()[i];
        }
    }
    return json::array(
        {facts.vendor, facts.family, facts.model, facts.stepping, std::move(features)});
}

CpuFacts unpacked_facts(const json& record) {
    CpuFacts facts;
    facts.vendor = record.at(0).get<std::string>();
    facts.family = record.at(1).get<unsigned>();
    facts.model = record.at(2).get<unsigned>();
    facts.stepping = record.at(3).get<unsigned>();
    std::string_view names = record.at(4).get_ref<const std::string&>();
    while (!names.empty()) {
        const std::size_t end = std::min(names.find(' '), names.size());
        if (const auto place = cpu_feature(names.substr(0, end))) {
            facts.features.set(*place);
        }
        names.remove_prefix(std::min(end + 1, names.size()));
    }
    return facts;
}

json packed(const HostCpuFacts& host) {
    return json::array({packed(host.all), packed(host.of_migratable_guest())});
}

std::optional<HostCpuFacts> host_cpu(const QemuCapabilities& caps, bool kvm) {
    const json& record = kvm ? caps.kvm_host_cpu : caps.tcg_host_cpu;
    if (record.is_null()) {
        return std::nullopt;
    }
    return HostCpuFacts{unpacked_facts(record.at(0)), unpacked_facts(record.at(1)).features};
}

} // namespace vireo::qemu
