// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"

#include <nlohmann/json.hpp>

/// Processors as the cache files hold them.
namespace vireo::qemu {

/// `["Intel", 6, 60, "fpu vme …"]`: features by name, so that a file outlives a new feature.
nlohmann::json packed(const CpuFacts& facts);
/// Throws nlohmann's exception where it is not that. A feature that is not known is passed over.
CpuFacts unpacked_facts(const nlohmann::json& record);

/// All of it, and what a guest may take to another host; host_cpu() reads it.
nlohmann::json packed(const HostCpuFacts& host);

} // namespace vireo::qemu
