// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/native_connect_interface.hpp"

#include "qemu-driver/actions/check_domain.hpp"
#include "qemu-driver/actions/prepare_guest.hpp"
#include "qemu-driver/actions/preview_domain.hpp"

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

Task<std::vector<bus::Dict>> NativeConnectInterface::check_domain(std::string xml) {
    std::vector<Obstacle> obstacles = co_await actions::check_domain(driver_, std::move(xml));
    std::vector<bus::Dict> answer;
    for (Obstacle& each : obstacles) {
        bus::Dict one;
        one.emplace_back("Check", std::move(each.check));
        one.emplace_back("Element", std::move(each.element));
        one.emplace_back("Line", std::uint32_t{each.line});
        one.emplace_back("Cause", std::move(each.cause));
        one.emplace_back("WaysOut", std::move(each.ways_out));
        one.emplace_back("Error", std::string(error_kind(each.code).native_name));
        answer.push_back(std::move(one));
    }
    co_return std::move(answer);
}

const sd_bus_vtable native_connect_vtable[] = {
    bus::start(),
    bus::method<&NativeConnectInterface::domain_xml_to_arguments, "xml", "arguments">(
        "DomainXMLToArguments"),
    bus::method<&NativeConnectInterface::describe_xml, "xml", "completed">("DescribeXML"),
    bus::method<&NativeConnectInterface::check_domain, "xml", "obstacles">("CheckDomain"),
    bus::end(),
};

} // namespace vireo::qemu
