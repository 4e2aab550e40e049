// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/native_domain_interface.hpp"

#include "qemu-driver/actions/memory_target.hpp"

namespace vireo::qemu {

Task<std::map<std::string, std::uint64_t>>
NativeDomainInterface::set_memory_target(std::uint64_t bytes) {
    return actions::set_memory_target(driver_, domain_, bytes);
}

using Self = NativeDomainInterface;
const sd_bus_vtable native_domain_vtable[] = {
    bus::start(),
    bus::property<&Self::name>("Name", bus::Changes::emits),
    bus::property<&Self::uuid>("UUID", bus::Changes::never),
    bus::property<&Self::state>("State", bus::Changes::emits),
    bus::property<&Self::state_reason>("StateReason", bus::Changes::emits),
    bus::property<&Self::path>("LibvirtPath", bus::Changes::never),
    bus::property<&Self::persistent>("Persistent", bus::Changes::emits),
    bus::property<&Self::autostart>("Autostart", bus::Changes::emits),
    bus::method<&Self::set_memory_target, "bytes", "set">("SetMemoryTarget"),
    bus::end(),
};

} // namespace vireo::qemu
