// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <nlohmann/json.hpp>

/// What the cache files have in common.
namespace vireo::qemu {

// nlohmann finds these by name in the types' namespace.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    BinaryIdentity, path, size, mtime_ns, ctime_ns, kernel, kvm_usable)

/// `["Intel", 6, 60, "fpu vme …"]`: features by name, so that a file outlives a new feature.
nlohmann::json packed(const CpuFacts& facts);
/// Throws nlohmann's exception where it is not that. A feature that is not known is passed over.
CpuFacts unpacked_facts(const nlohmann::json& record);

} // namespace vireo::qemu
