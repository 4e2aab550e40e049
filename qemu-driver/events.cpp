// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/events.hpp"

#include "libshared/log.hpp"
#include "qemu-driver/memory_device_path.hpp"

namespace vireo::qemu {

void Events::lifecycle(const Domain& domain, LifecycleEvent event) {
    objects_.emit(connect_path,
                  connect_interface,
                  "DomainEvent",
                  domain.path,
                  std::int32_t{event.event},
                  std::int32_t{event.detail});
}

void Events::set_state(Domain& domain, StateReason state) {
    if (domain.state == state) {
        return;
    }
    domain.state = state;
    log::info("domain '{}' is {} ({})", domain.name, state_name(state.state), reason_name(state));
    changed(domain, {"State", "StateReason"});
}

void Events::changed(const Domain& domain, const std::vector<const char*>& names) {
    objects_.properties_changed(native_path(domain), native_domain_interface, names);
}

void Events::memory_added(const Domain& domain, const std::string& alias) {
    objects_.object_added(memory_device_path(domain, alias));
}

void Events::memory_removed(const Domain& domain, const std::string& alias) {
    objects_.object_removed(memory_device_path(domain, alias));
}

void Events::memory_changed(const Domain& domain,
                            const std::string& alias,
                            std::initializer_list<const char*> names) {
    objects_.properties_changed(memory_device_path(domain, alias),
                                memory_device_interface,
                                std::span(names.begin(), names.size()));
}

} // namespace vireo::qemu
