// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/native_domain_interface.hpp"

#include "qemu-driver/actions/memory_target.hpp"

namespace vireo::qemu {

Task<std::map<std::string, std::uint64_t>>
NativeDomainInterface::set_memory_target(std::uint64_t bytes) {
    return actions::set_memory_target(driver_, domain_, bytes);
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
    bus::method<&NativeDomainInterface::set_memory_target, "bytes", "set">("SetMemoryTarget"),
    bus::end(),
};

} // namespace vireo::qemu
