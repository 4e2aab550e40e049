// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/daemon/options.hpp"
#include "qemu-driver/capabilities/capabilities_cache.hpp"
#include "qemu-driver/firmware_descriptors.hpp"

namespace vireo::qemu {

/// This host as documents see it: what its QEMU can do, its firmware, and the instance's folders.
/// Nothing of it is written but the cache of capabilities.
struct Host {
    Host(Loop& on, const Options& instance)
        : loop(on),
          options(instance),
          capabilities(on, instance.directories.cache + "/qemu"),
          firmware(instance) {}

    Loop& loop;
    const Options& options;
    CapabilitiesCache capabilities;
    FirmwareDescriptors firmware;
};

} // namespace vireo::qemu
