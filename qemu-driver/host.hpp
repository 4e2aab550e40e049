// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/daemon/driver_caller.hpp"
#include "libshared/daemon/options.hpp"
#include "qemu-driver/capabilities/capabilities_cache.hpp"
#include "qemu-driver/capabilities/cpu_models_cache.hpp"
#include "qemu-driver/firmware_descriptors.hpp"

namespace vireo::qemu {

/// This host as documents see it: what its QEMU can do, its firmware, and the instance's folders.
/// Nothing of it is written but the cache of capabilities.
struct Host {
    Host(Loop& on, const Options& instance)
        : loop(on),
          options(instance),
          capabilities(on, instance.directories.cache + "/qemu"),
          kvm_cpu_models(on, instance.directories.cache + "/qemu", true),
          tcg_cpu_models(on, instance.directories.cache + "/qemu", false),
          firmware(instance),
          storaged(on, places_of("storaged", instance, program_folder())) {}

    CpuModelsCache& cpu_models(bool kvm) { return kvm ? kvm_cpu_models : tcg_cpu_models; }

    Loop& loop;
    const Options& options;
    CapabilitiesCache capabilities;
    CpuModelsCache kvm_cpu_models;
    CpuModelsCache tcg_cpu_models;
    FirmwareDescriptors firmware;
    DriverCaller storaged; // keeps volumes that are disks' images
};

} // namespace vireo::qemu
