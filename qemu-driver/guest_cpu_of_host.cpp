// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/guest_cpu_of_host.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/documents.hpp"

namespace vireo::qemu {

Task<HostCpuModels>
host_cpu_models(Host& host, std::shared_ptr<const QemuCapabilities> capabilities, bool kvm) {
    if (!host_cpu(*capabilities, kvm)) {
        throw Error(ErrorCode::operation_failed,
                    "'{}' does not say what CPU its guests can have",
                    capabilities->binary);
    }
    std::string binary = capabilities->binary;
    auto asking = host.cpu_models(kvm).get(std::move(binary));
    std::shared_ptr<const CpuModels> models = co_await std::move(asking);
    HostCpuModels all;
    all.capabilities = std::move(capabilities);
    all.models = std::move(models);
    all.kvm = kvm;
    co_return all;
}

Task<void> resolve_guest_cpu(Host& host,
                             std::shared_ptr<DomainDef> live,
                             std::shared_ptr<const QemuCapabilities> capabilities) {
    const bool kvm = live->type == DomainType::kvm;
    if (!live->cpu) {
        co_return;
    }
    if (needs_cpu_models(*live->cpu)) {
        const HostCpuModels models = co_await host_cpu_models(host, capabilities, kvm);
        resolve_cpu(*live->cpu, models.host());
    } else if (host_cpu(*capabilities, kvm)) {
        const CpuModels not_asked;
        const CpuHost known{
            *host_cpu(*capabilities, kvm), capabilities->cpu_models(kvm), not_asked};
        resolve_cpu(*live->cpu, known);
    }
}

void show_guest_cpu(Host& host, DomainDef& def) {
    if (!def.cpu) {
        return;
    }
    const bool kvm = def.type == DomainType::kvm;
    const std::string binary = def.devices.emulator.value_or(default_emulator());
    try {
        const auto capabilities = host.capabilities.known(binary);
        const auto models = host.cpu_models(kvm).known(binary);
        if (capabilities && models && host_cpu(*capabilities, kvm)) {
            CpuDef shown = *def.cpu;
            shown.check = CpuCheck::none;
            resolve_cpu(shown, HostCpuModels{capabilities, models, kvm}.host());
            shown.check = def.cpu->check;
            def.cpu = std::move(shown);
        }
    } catch (const Error&) { // no such program, or a model that it does not have
        return;
    }
}

} // namespace vireo::qemu
