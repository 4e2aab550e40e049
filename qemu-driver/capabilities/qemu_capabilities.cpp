// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

bool holds(const std::map<std::string, StringSet, std::less<>>& sets,
           std::string_view key,
           std::string_view member) {
    const auto found = sets.find(key);
    return found != sets.end() && found->second.contains(member);
}

} // namespace

bool QemuCapabilities::has_property(std::string_view type, std::string_view property) const {
    return holds(properties, type, property);
}

bool QemuCapabilities::has_option(std::string_view option, std::string_view parameter) const {
    return holds(options, option, parameter);
}

const MachineType* QemuCapabilities::machine(std::string_view name) const {
    const auto found = std::find_if(machines.begin(), machines.end(), [&](const MachineType& m) {
        return m.name == name || (!m.alias.empty() && m.alias == name);
    });
    return found == machines.end() ? nullptr : &*found;
}

const MachineType* QemuCapabilities::default_machine() const {
    const auto found = std::find_if(
        machines.begin(), machines.end(), [](const MachineType& m) { return m.is_default; });
    return found == machines.end() ? nullptr : &*found;
}

const std::vector<CpuModel>& QemuCapabilities::cpu_models(bool kvm) const {
    return kvm ? kvm_cpu_models : tcg_cpu_models;
}

} // namespace vireo::qemu
