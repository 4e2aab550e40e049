// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/guest_cpu.hpp"

#include <memory>

namespace vireo::qemu {

/// What guests' CPUs are measured by on this host under one accelerator; it owns what a CpuHost
/// refers to.
struct HostCpuModels {
    std::shared_ptr<const QemuCapabilities> capabilities;
    std::shared_ptr<const CpuModels> models;
    bool kvm = false;

    CpuHost host() const {
        return {*host_cpu(*capabilities, kvm), capabilities->cpu_models(kvm), *models};
    }
};

/// Asks QEMU what named models have, where that is not known yet. Throws operation_failed where
/// this QEMU does not say what its guests can have, and what a probe throws.
Task<HostCpuModels>
host_cpu_models(Host& host, std::shared_ptr<const QemuCapabilities> capabilities, bool kvm);

/// Gives a guest that is about to start a CPU of its own (resolve_cpu).
Task<void> resolve_guest_cpu(Host& host,
                             std::shared_ptr<DomainDef> live,
                             std::shared_ptr<const QemuCapabilities> capabilities);

/// Shows in a definition the CPU that a start would give it now, where that is known already: reads
/// never wait. What the host cannot give is shown all the same.
void show_guest_cpu(Host& host, DomainDef& def);

} // namespace vireo::qemu
