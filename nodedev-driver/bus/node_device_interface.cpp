// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/node_device_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "nodedev-driver/actions/describe_device.hpp"
#include "nodedev-driver/model/capability_kind.hpp"

namespace vireo::nodedev {

std::vector<std::string> NodeDeviceInterface::list_caps() const {
    const auto names = capability_names(*device_);
    return {names.begin(), names.end()};
}

std::string NodeDeviceInterface::get_xml_desc(uint32_t flags) const {
    return actions::describe_device(sources_, *device_, flags);
}

constexpr sd_bus_vtable node_device_vtable[] = {
    bus::start(),
    bus::property<&NodeDeviceInterface::name>("Name", bus::Changes::never),
    bus::property<&NodeDeviceInterface::parent>("Parent", bus::Changes::never),
    bus::method<&NodeDeviceInterface::get_xml_desc, "flags", "xml">("GetXMLDesc"),
    bus::method<&NodeDeviceInterface::list_caps, "names">("ListCaps"),
    bus::end(),
};

} // namespace vireo::nodedev
