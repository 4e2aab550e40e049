// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/memory_amounts.hpp"

#include "qemu-driver/devices/memlock.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

constexpr std::uint64_t balloon_step = 1 << 20; // pages, in truth

std::uint64_t step_of(const DomainDef& live) {
    std::uint64_t step = has_balloon(live) ? balloon_step : 0;
    for (const MemoryDeviceDef& memory : live.devices.memories) {
        if (memory.model == MemoryDeviceModel::virtio_mem) {
            step = std::max(step, memory.block_kib.value_or(0) * bytes_per_kib);
        }
    }
    return step;
}

} // namespace

MemoryAmounts memory_amounts(const Domain& domain) {
    if (!domain.guest || domain.guest->starting) {
        return {};
    }
    const DomainDef& live = *domain.guest->live;
    MemoryAmounts amounts;
    amounts.minimum = has_balloon(live) ? 0 : fixed_memory_kib(live) * bytes_per_kib;
    amounts.maximum = live.memory.total_kib * bytes_per_kib;
    amounts.step = step_of(live);
    amounts.promises = memory_promises(live, domain.guest->balloon_target_kib, pins_memory(live));
    for (const MemoryPromise& row : amounts.promises) {
        amounts.target += row.requested;
        amounts.current += row.current;
    }
    return amounts;
}

void tell_of_memory(Driver& driver, const Domain& domain) {
    const MemoryAmounts now = memory_amounts(domain);
    const MemoryAmounts& told = domain.guest->told_memory;
    std::vector<const char*> changed;
    const auto compare = [&](const char* name, const auto& before, const auto& after) {
        if (before != after) {
            changed.push_back(name);
        }
    };
    compare("MemoryMinimum", told.minimum, now.minimum);
    compare("MemoryMaximum", told.maximum, now.maximum);
    compare("MemoryStep", told.step, now.step);
    compare("MemoryTarget", told.target, now.target);
    compare("MemoryCurrent", told.current, now.current);
    compare("MemoryPromises", told.promises, now.promises);
    if (!changed.empty()) {
        domain.guest->told_memory = now;
        driver.events.changed(domain, changed);
    }
}

void tell_of_no_memory(Driver& driver, const Domain& domain) {
    driver.events.changed(domain,
                          {"MemoryMinimum",
                           "MemoryMaximum",
                           "MemoryStep",
                           "MemoryTarget",
                           "MemoryCurrent",
                           "MemoryPromises"});
}

} // namespace vireo::qemu::actions
