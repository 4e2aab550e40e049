// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/host_info.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <span>

namespace vireo::qemu {

/// The document of `GetCapabilities`: the host, with its processor in a model's words where there
/// are any, and a guest for each emulator.
std::string capabilities_xml(const HostInfo& host,
                             const std::optional<CpuChoice>& cpu,
                             std::span<const QemuCapabilities* const> emulators);

/// The names of the CPU models that a guest can have under `arch`, each once, in QEMU's order;
/// "host", "max" and "base" are modes, no models.
std::vector<std::string> cpu_model_names(const QemuCapabilities& caps);

/// What `GetDomainCapabilities` was asked about, completed from QEMU's own defaults.
struct DomainCapsRequest {
    std::string machine;                 ///< name or alias, empty: QEMU's default
    bool kvm = false;                    ///< virttype
    std::vector<std::string> firmware;   ///< "bios", "efi": there are descriptors for
    std::vector<std::string> loaders;    ///< firmware images that are there
    std::optional<CpuChoice> host_model; ///< the host's processor, where a model describes it
    const CpuModels* models = nullptr;   ///< whose vendors are told; may be null
};

/// The document of `GetDomainCapabilities`.
/// Throws invalid_arg when QEMU has no such machine or no KVM.
std::string domain_capabilities_xml(const QemuCapabilities& caps, const DomainCapsRequest& request);

} // namespace vireo::qemu
