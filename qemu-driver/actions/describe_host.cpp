// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/describe_host.hpp"

#include "qemu-driver/capabilities/host_capabilities.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_cpu_of_host.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>

namespace vireo::qemu::actions {

namespace {

bool is_for(const FirmwareFacts& firmware, const std::string& arch, const std::string& machine) {
    return std::ranges::any_of(firmware.targets, [&](const FirmwareFacts::Target& target) {
        return target.arch == arch &&
               std::ranges::any_of(target.machines, [&](const std::string& pattern) {
                   return fnmatch(pattern.c_str(), machine.c_str(), 0) == 0;
               });
    });
}

void add_once(std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) {
        names.push_back(name);
    }
}

/// Which firmware the host has for this machine.
void add_firmware(DomainCapsRequest& request,
                  const QemuCapabilities& capabilities,
                  const std::vector<FirmwareFacts>& all) {
    const MachineType* machine = request.machine.empty() ? capabilities.default_machine()
                                                         : capabilities.machine(request.machine);
    if (machine == nullptr) {
        return; // domain_capabilities_xml() says so
    }
    for (const FirmwareFacts& firmware : all) {
        if (!is_for(firmware, capabilities.arch, machine->name)) {
            continue;
        }
        for (const std::string& interface : firmware.interfaces) {
            add_once(request.firmware, interface == "uefi" ? "efi" : interface);
        }
        add_once(request.loaders, firmware.executable);
    }
}

bool wants_kvm(const std::string& virttype, const QemuCapabilities& capabilities) {
    if (virttype.empty()) {
        return capabilities.kvm_enabled;
    }
    if (virttype != "kvm" && virttype != "qemu") {
        throw Error(ErrorCode::invalid_arg,
                    "unknown virttype '{}', expected 'kvm', 'qemu' or nothing",
                    virttype);
    }
    return virttype == "kvm";
}

void require_arch(const std::string& arch, const QemuCapabilities& capabilities) {
    if (!arch.empty() && arch != capabilities.arch) {
        throw Error(ErrorCode::invalid_arg,
                    "no emulator for architecture '{}': '{}' is for '{}'",
                    arch,
                    capabilities.binary,
                    capabilities.arch);
    }
}

} // namespace

Task<std::string> describe_host(Driver& driver) {
    std::string emulator = default_emulator();
    const auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    std::optional<CpuChoice> cpu;
    if (capabilities->kvm_enabled && host_cpu(*capabilities, true)) { // else it is QEMU's own
        const HostCpuModels models = co_await host_cpu_models(driver, capabilities, true);
        NearestWish wish;
        wish.any_host = true;
        wish.only_beyond = true;
        const CpuHost host = models.host();
        cpu = nearest_model(host.cpu.all, host.models, host.definitions, wish);
    }
    const std::array<const QemuCapabilities*, 1> emulators{capabilities.get()};
    co_return capabilities_xml(read_host_info(Sysfs()), cpu, emulators);
}

Task<std::vector<std::string>> cpu_model_names(Driver& driver, std::string arch) {
    std::string emulator = default_emulator();
    const auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    require_arch(arch, *capabilities);
    co_return qemu::cpu_model_names(*capabilities);
}

Task<std::string> describe_emulator(Driver& driver, EmulatorQuestion question) {
    std::string emulator = question.emulator.empty() ? default_emulator() : question.emulator;
    const auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    require_arch(question.arch, *capabilities);
    DomainCapsRequest request;
    request.machine = question.machine;
    request.kvm = wants_kvm(question.virttype, *capabilities);
    add_firmware(request, *capabilities, driver.firmware.all());
    HostCpuModels models;
    const bool asks = request.kvm ? capabilities->kvm_enabled : true;
    if (asks && host_cpu(*capabilities, request.kvm)) {
        models = co_await host_cpu_models(driver, capabilities, request.kvm);
        request.host_model = host_model(models.host(), false);
        request.models = models.models.get();
    }
    co_return domain_capabilities_xml(*capabilities, request);
}

} // namespace vireo::qemu::actions
