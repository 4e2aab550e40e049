// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/memory_policy.hpp"

#include "libshared/sysfs.hpp"

namespace vireo::qemu {

namespace {

MemoryPolicy::Mode policy_mode(NumaMode mode) {
    switch (mode) {
    case NumaMode::preferred:
        return MemoryPolicy::Mode::preferred;
    case NumaMode::interleave:
        return MemoryPolicy::Mode::interleave;
    case NumaMode::strict:
    case NumaMode::restrictive:
        break;
    }
    return MemoryPolicy::Mode::bind;
}

} // namespace

std::optional<MemoryPolicy> memory_policy(const DomainDef& def,
                                          const std::optional<std::string>& advice) {
    if (!def.numatune || !def.numatune->memory) {
        return std::nullopt;
    }
    const NumaMemory& memory = *def.numatune->memory;
    const auto& nodes = memory.placement == NumaPlacement::auto_ ? advice : memory.nodeset;
    if (!nodes) {
        return std::nullopt;
    }
    return MemoryPolicy{policy_mode(memory.mode.value_or(NumaMode::strict)), numbers_in(*nodes)};
}

bool needs_numa_advice(const DomainDef& def) {
    return def.numatune && def.numatune->memory &&
           def.numatune->memory->placement == NumaPlacement::auto_;
}

} // namespace vireo::qemu
