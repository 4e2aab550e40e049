// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/introspection.hpp"

#include "libshared/bus/contract.hpp"
#include "proxy/routes.hpp"

#include <systemd/sd-bus.h>

#include <set>

namespace vireo::proxy {

namespace {

constexpr std::string_view standard = R"(<interface name="org.freedesktop.DBus.Peer">
<method name="Ping"/>
<method name="GetMachineId"><arg type="s" name="machine_uuid" direction="out"/></method>
</interface>
<interface name="org.freedesktop.DBus.Introspectable">
<method name="Introspect"><arg name="xml_data" type="s" direction="out"/></method>
</interface>
<interface name="org.freedesktop.DBus.Properties">
<method name="Get"><arg name="interface_name" direction="in" type="s"/><arg name="property_name" direction="in" type="s"/><arg name="value" direction="out" type="v"/></method>
<method name="GetAll"><arg name="interface_name" direction="in" type="s"/><arg name="props" direction="out" type="a{sv}"/></method>
<method name="Set"><arg name="interface_name" direction="in" type="s"/><arg name="property_name" direction="in" type="s"/><arg name="value" direction="in" type="v"/></method>
<signal name="PropertiesChanged"><arg type="s" name="interface_name"/><arg type="a{sv}" name="changed_properties"/><arg type="as" name="invalidated_properties"/></signal>
</interface>
)";

constexpr std::string_view manager = R"(<interface name="org.freedesktop.DBus.ObjectManager">
<method name="GetManagedObjects"><arg type="a{oa{sa{sv}}}" name="object_paths_interfaces_and_properties" direction="out"/></method>
<signal name="InterfacesAdded"><arg type="o" name="object_path"/><arg type="a{sa{sv}}" name="interfaces_and_properties"/></signal>
<signal name="InterfacesRemoved"><arg type="o" name="object_path"/><arg type="as" name="interfaces"/></signal>
</interface>
)";

} // namespace

std::string introspect(std::string_view path) {
    if (!known_path(path)) {
        return {};
    }
    std::string text = "<!DOCTYPE node PUBLIC "
                       "\"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                       "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n"
                       "<node>\n";
    text += standard;
    if (path == native_root) {
        text += manager;
    }
    const std::string prefix = path == "/" ? "/" : std::string(path) + "/";
    std::set<std::string_view> children;
    for (const bus::ContractInterface& i : bus::contract_interfaces()) {
        if (i.is_private) {
            continue;
        }
        if (i.at(path)) {
            text += i.introspection;
        }
        if (i.path.starts_with(prefix)) {
            const std::string_view rest = i.path.substr(prefix.size());
            children.insert(rest.substr(0, rest.find('/')));
        }
    }
    for (const std::string_view child : children) {
        text += "<node name=\"";
        text += child;
        text += "\"/>\n";
    }
    text += "</node>\n";
    return text;
}

} // namespace vireo::proxy
