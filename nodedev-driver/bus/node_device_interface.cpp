// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/node_device_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "libshared/error.hpp"
#include "nodedev-driver/actions/create_device.hpp"
#include "nodedev-driver/actions/describe_device.hpp"
#include "nodedev-driver/actions/lease_device.hpp"
#include "nodedev-driver/model/capability_kind.hpp"

namespace vireo::nodedev {

std::vector<std::string> NodeDeviceInterface::list_caps() const {
    const auto names = capability_names(*device_);
    return {names.begin(), names.end()};
}

std::string NodeDeviceInterface::get_xml_desc(uint32_t flags) const {
    return actions::describe_device(driver_, *device_, flags);
}

Task<void> NodeDeviceInterface::detach(std::string driver_name, uint32_t flags) {
    if (flags != 0) {
        throw Error(ErrorCode::invalid_arg, "unsupported flags (0x{:x}) in Detach", flags);
    }
    return actions::take_device(
        driver_, device_->name, std::string(), actions::checked_driver(driver_name));
}

Task<void> NodeDeviceInterface::reattach() {
    return actions::reattach_device(driver_, device_->name);
}

Task<void> NodeDeviceInterface::reset() {
    return actions::reset_device(driver_, device_->name);
}

Task<void> NodeDeviceInterface::destroy() {
    return actions::destroy_device(driver_, device_->name);
}

constexpr sd_bus_vtable node_device_vtable[] = {
    bus::start(),
    bus::property<&NodeDeviceInterface::name>("Name", bus::Changes::never),
    bus::property<&NodeDeviceInterface::parent>("Parent", bus::Changes::never),
    bus::method<&NodeDeviceInterface::destroy>("Destroy"),
    bus::method<&NodeDeviceInterface::detach, "driverName", "flags">("Detach"),
    bus::method<&NodeDeviceInterface::reattach>("ReAttach"),
    bus::method<&NodeDeviceInterface::reset>("Reset"),
    bus::method<&NodeDeviceInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&NodeDeviceInterface::list_caps, "names">("ListCaps"),
    bus::end(),
};

} // namespace vireo::nodedev
