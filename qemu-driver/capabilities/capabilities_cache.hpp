// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/probed_cache.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

namespace vireo::qemu {

/// What each QEMU binary can do.
class CapabilitiesCache : public ProbedCache<QemuCapabilities> {
  public:
    using Limits = ProbeLimits;

    CapabilitiesCache(Loop& loop, std::string folder, Limits limits = {});
};

} // namespace vireo::qemu
