// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/connect_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/model/capability_kind.hpp"

namespace vireo::nodedev {

std::vector<bus::ObjectPath> ConnectInterface::list_node_devices(uint32_t flags) const {
    check_list_flags(flags);
    std::vector<bus::ObjectPath> paths;
    for (const auto& [name, device] : registry_.devices()) {
        if (listed(*device, flags)) {
            paths.emplace_back(device_path(name));
        }
    }
    return paths;
}

bus::ObjectPath ConnectInterface::lookup_by_name(const std::string& name) const {
    return bus::ObjectPath(device_path(registry_.get(name)->name));
}

constexpr sd_bus_vtable connect_vtable[] = {
    bus::start(),
    bus::method<&ConnectInterface::list_node_devices, "flags", "devs">("ListNodeDevices"),
    bus::method<&ConnectInterface::lookup_by_name, "name", "dev">("NodeDeviceLookupByName"),
    bus::signal<"dev", "event", "detail">::of<bus::ObjectPath, int32_t, int32_t>("NodeDeviceEvent"),
    bus::end(),
};

} // namespace vireo::nodedev
