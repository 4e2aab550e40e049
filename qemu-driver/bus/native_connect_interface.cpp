// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/native_connect_interface.hpp"

#include "qemu-driver/actions/preview_domain.hpp"
#include "qemu-driver/actions/start_domain.hpp"

namespace vireo::qemu {

Task<std::vector<std::string>> NativeConnectInterface::domain_xml_to_arguments(std::string xml) {
    actions::ComingGuest coming;
    coming.id = driver_.statuses.coming_id();
    coming.folder = driver_.statuses.folder_of(coming.id);
    coming.ports = actions::taken_ports(driver_);
    return actions::preview_arguments(driver_, std::move(coming), std::move(xml));
}

Task<std::string> NativeConnectInterface::describe_xml(std::string xml) {
    return actions::preview_definition(driver_, std::move(xml));
}

const sd_bus_vtable native_connect_vtable[] = {
    bus::start(),
    bus::method<&NativeConnectInterface::domain_xml_to_arguments, "xml", "arguments">(
        "DomainXMLToArguments"),
    bus::method<&NativeConnectInterface::describe_xml, "xml", "completed">("DescribeXML"),
    bus::end(),
};

} // namespace vireo::qemu
