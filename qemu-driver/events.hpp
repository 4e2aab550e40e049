// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/tree.hpp"
#include "qemu-driver/domain.hpp"
#include "qemu-driver/state.hpp"

#include <string>
#include <vector>

namespace vireo::qemu {

inline constexpr const char* connect_path = "/org/libvirt/QEMU";
inline constexpr const char* connect_interface = "org.libvirt.Connect";
inline constexpr const char* domain_interface = "org.libvirt.Domain";
inline constexpr const char* native_root = "/org/vireo";
inline constexpr const char* native_connect_interface = "org.vireo.Connect1";
inline constexpr const char* native_domain_interface = "org.vireo.Domain1";
inline constexpr const char* memory_device_interface = "org.vireo.MemoryDevice1";

/// Tells clients what happens to domains: libvirt's signals, and PropertiesChanged and
/// ObjectManager's signals of the native API.
class Events {
  public:
    explicit Events(bus::ObjectTree& objects) : objects_(objects) {}

    void lifecycle(const Domain& domain, LifecycleEvent event);
    /// Sets state and reason, and tells of it on the native API.
    void set_state(Domain& domain, StateReason state);
    /// Native properties that changed by name (`Persistent`).
    void changed(const Domain& domain, const std::vector<const char*>& names);

    void added(const Domain& domain) { objects_.object_added(native_path(domain)); }

    void removed(const Domain& domain) { objects_.object_removed(native_path(domain)); }

    /// The same for a memory device of a running guest; `memory_removed` while it still has it.
    void memory_added(const Domain& domain, const std::string& alias);
    void memory_removed(const Domain& domain, const std::string& alias);
    void memory_changed(const Domain& domain,
                        const std::string& alias,
                        std::initializer_list<const char*> names);

    /// A signal of org.libvirt.Domain at the domain's path.
    template <class... A>
    void device(const Domain& domain, const char* member, const A&... arguments) {
        objects_.emit(domain.path, domain_interface, member, arguments...);
    }

  private:
    bus::ObjectTree& objects_;
};

} // namespace vireo::qemu
