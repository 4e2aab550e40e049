// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/probed_cache.hpp"

namespace vireo::qemu {

/// What the named CPU models of each QEMU binary have, under one accelerator. Asked apart from the
/// other capabilities: it takes a run of its own, and few guests need it.
class CpuModelsCache : public ProbedCache<CpuModels> {
  public:
    CpuModelsCache(Loop& loop, std::string folder, bool kvm, ProbeLimits limits = {});
};

/// The text of a cache file.
std::string cpu_models_to_cache(const BinaryIdentity& identity, const CpuModels& models);
/// Nothing where it is of another format, of another binary or damaged.
std::optional<CpuModels> cpu_models_from_cache(std::string_view text,
                                               const BinaryIdentity& identity);

} // namespace vireo::qemu
