// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/connect_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "libshared/error.hpp"
#include "nodedev-driver/actions/create_device.hpp"
#include "nodedev-driver/bus/paths.hpp"
#include "nodedev-driver/model/capability_kind.hpp"

namespace vireo::nodedev {

std::vector<bus::ObjectPath> ConnectInterface::list_node_devices(uint32_t flags) const {
    check_list_flags(flags);
    std::vector<bus::ObjectPath> paths;
    for (const auto& [name, device] : driver_.registry.devices()) {
        if (listed(*device, flags)) {
            paths.emplace_back(device_path(name));
        }
    }
    return paths;
}

bus::ObjectPath ConnectInterface::lookup_by_name(const std::string& name) const {
    return bus::ObjectPath(device_path(driver_.registry.get(name)->name));
}

bus::ObjectPath ConnectInterface::lookup_scsi_host_by_wwn(const std::string& wwnn,
                                                          const std::string& wwpn,
                                                          uint32_t flags) const {
    if (flags != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags (0x{:x}) in NodeDeviceLookupSCSIHostByWWN",
                    flags);
    }
    for (const auto& [name, device] : driver_.registry.devices()) {
        const auto* host = std::get_if<ScsiHostCapability>(&device->capability);
        if (host != nullptr && host->fc_host && host->fc_host->wwnn == wwnn &&
            host->fc_host->wwpn == wwpn) {
            return bus::ObjectPath(device_path(name));
        }
    }
    throw Error(ErrorCode::no_node_device,
                "no SCSI host with World Wide Node Name '{}' and Port Name '{}'",
                wwnn,
                wwpn);
}

namespace {

Task<bus::ObjectPath> as_path(Task<std::string> making) {
    const std::string name = co_await std::move(making);
    co_return bus::ObjectPath(device_path(name));
}

} // namespace

Task<bus::ObjectPath> ConnectInterface::create_xml(std::string document, uint32_t flags) {
    constexpr uint32_t validate = 1;
    if ((flags & ~validate) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags (0x{:x}) in NodeDeviceCreateXML",
                    flags & ~validate);
    }
    return as_path(actions::create_device(driver_, std::move(document), flags == validate));
}

constexpr sd_bus_vtable connect_vtable[] = {
    bus::start(),
    bus::method<&ConnectInterface::list_node_devices, "flags", "devs">("ListNodeDevices"),
    bus::method<&ConnectInterface::create_xml, "xml", "flags", "dev">("NodeDeviceCreateXML"),
    bus::method<&ConnectInterface::lookup_by_name, "name", "dev">("NodeDeviceLookupByName"),
    bus::method<&ConnectInterface::lookup_scsi_host_by_wwn, "wwnn", "wwpn", "flags", "dev">(
        "NodeDeviceLookupSCSIHostByWWN"),
    bus::signal<"dev", "event", "detail">::of<bus::ObjectPath, int32_t, int32_t>("NodeDeviceEvent"),
    bus::end(),
};

} // namespace vireo::nodedev
