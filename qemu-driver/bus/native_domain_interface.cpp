// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/native_domain_interface.hpp"

#include "qemu-driver/actions/memory_target.hpp"

namespace vireo::qemu {

Task<std::map<std::string, std::uint64_t>>
NativeDomainInterface::set_memory_target(std::uint64_t bytes) {
    return actions::set_memory_target(driver_, domain_, bytes);
}

NativeDomainInterface::MemoryPromises NativeDomainInterface::memory_promises() const {
    MemoryPromises rows;
    for (const MemoryPromise& row : actions::memory_amounts(*domain_).promises) {
        rows.emplace_back(row.cell, row.size, row.requested, row.current, row.balloon, row.locked);
    }
    return rows;
}

const sd_bus_vtable native_domain_vtable[] = {
    bus::start(),
    bus::property<&NativeDomainInterface::name>("Name", bus::Changes::emits),
    bus::property<&NativeDomainInterface::uuid>("UUID", bus::Changes::never),
    bus::property<&NativeDomainInterface::state>("State", bus::Changes::emits),
    bus::property<&NativeDomainInterface::state_reason>("StateReason", bus::Changes::emits),
    bus::property<&NativeDomainInterface::path>("LibvirtPath", bus::Changes::never),
    bus::property<&NativeDomainInterface::persistent>("Persistent", bus::Changes::emits),
    bus::property<&NativeDomainInterface::autostart>("Autostart", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_minimum>("MemoryMinimum", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_maximum>("MemoryMaximum", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_step>("MemoryStep", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_target>("MemoryTarget", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_current>("MemoryCurrent", bus::Changes::emits),
    bus::property<&NativeDomainInterface::memory_promises>("MemoryPromises", bus::Changes::emits),
    bus::method<&NativeDomainInterface::set_memory_target, "bytes", "set">("SetMemoryTarget"),
    bus::end(),
};

} // namespace vireo::qemu
