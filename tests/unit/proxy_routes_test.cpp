// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_places.hpp"
#include "proxy/introspection.hpp"
#include "proxy/places.hpp"
#include "proxy/routes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace vireo::proxy;

namespace {

constexpr std::string_view connect_path = "/org/libvirt/QEMU";
constexpr std::string_view domain_path = "/org/libvirt/QEMU/domain/_1";
constexpr std::string_view properties = "org.freedesktop.DBus.Properties";

CallHeader connect(std::string_view member, std::string_view signature) {
    return {connect_path, "org.libvirt.Connect", member, signature};
}

CallHeader property_call(std::string_view path, std::string_view member) {
    const std::string_view signature = member == "GetAll" ? "s" : member == "Set" ? "ssv" : "ss";
    return {path, properties, member, signature};
}

std::vector<std::string> list(const Names& names) {
    return {names.begin(), names.end()};
}

using Strings = std::vector<std::string>;

std::string error_of(const Route& route) {
    return route.handling == Handling::refuse ? route.error : "none";
}

} // namespace

TEST_CASE("a member goes to the driver that serves it, with its action") {
    const Route list_domains = route_call(connect("ListDomains", "u"));
    CHECK(list_domains.handling == Handling::forward);
    CHECK(list(list_domains.drivers) == Strings{"qemud"});
    CHECK(list(list_domains.actions) == Strings{"org.vireo.domain.read"});
    const Route devices = route_call(connect("ListNodeDevices", "u"));
    CHECK(list(devices.drivers) == Strings{"nodedevd"});
    const Route tuning = route_call(connect("NodeSetMemoryParameters", "a{sv}u"));
    CHECK(list(tuning.drivers) == Strings{"storaged"});
    CHECK(list(tuning.actions) == Strings{"org.vireo.host.write"});
    CHECK(only_reads(list_domains));
    CHECK_FALSE(only_reads(tuning));
    const Route xml = route_call({domain_path, "org.libvirt.Domain", "GetXMLDesc", "u"});
    CHECK(xml.secure_action == "org.vireo.domain.write");
}

TEST_CASE("a member is found without its interface") {
    const Route route = route_call({domain_path, "", "GetState", "u"});
    CHECK(list(route.drivers) == Strings{"qemud"});
    CHECK(route_call({domain_path, "", "Introspect", ""}).handling == Handling::introspect);
    CHECK(names_property({domain_path, "", "GetAll", "s"}));
    CHECK_FALSE(names_property({domain_path, "", "GetState", "u"}));
    CHECK(names_property(property_call(domain_path, "Set")));
    CHECK_FALSE(names_property({domain_path, "org.libvirt.Domain", "Get", "s"}));
}

TEST_CASE("a member that nobody serves is answered in libvirt's words") {
    const Route route = route_call(connect("NetworkLookupByName", "s"));
    CHECK(error_of(route) == "org.libvirt.Error");
    CHECK(route.message ==
          "this function is not supported by the connection driver: NetworkLookupByName");
    const Route property = route_property(property_call("/org/libvirt/QEMU/network/_1", "Get"),
                                          {"org.libvirt.Network", "Bridge"});
    CHECK(error_of(property) == "org.freedesktop.DBus.Error.UnknownProperty");
    const Route active = route_property(property_call("/org/libvirt/QEMU/network/_1", "Get"),
                                        {"org.libvirt.Network", "Active"});
    CHECK(active.message == "this function is not supported by the connection driver: Active");
    const Route all = route_property(property_call("/org/libvirt/QEMU/network/_1", "GetAll"),
                                     {"org.libvirt.Network", ""});
    CHECK(error_of(all) == "org.libvirt.Error");
}

TEST_CASE("what is not in the contract gets the standard errors") {
    CHECK(error_of(route_call(connect("Nope", ""))) == "org.freedesktop.DBus.Error.UnknownMethod");
    CHECK(error_of(route_call({connect_path, "org.x.Y", "Nope", ""})) ==
          "org.freedesktop.DBus.Error.UnknownInterface");
    // There, but not at this path.
    CHECK(error_of(route_call({connect_path, "org.libvirt.Domain", "GetState", "u"})) ==
          "org.freedesktop.DBus.Error.UnknownInterface");
    CHECK(error_of(route_call({"/nowhere", "org.libvirt.Connect", "ListDomains", "u"})) ==
          "org.freedesktop.DBus.Error.UnknownObject");
    CHECK(error_of(route_call({"/nowhere", "", "Introspect", ""})) ==
          "org.freedesktop.DBus.Error.UnknownObject");
    CHECK(error_of(route_call({connect_path, "org.freedesktop.DBus.Introspectable", "Nope", ""})) ==
          "org.freedesktop.DBus.Error.UnknownMethod");
    CHECK(error_of(route_property(property_call(domain_path, "Get"), {"org.x.Y", "Active"})) ==
          "org.freedesktop.DBus.Error.UnknownInterface");
    CHECK(error_of(route_property(property_call("/nowhere", "Get"), {"", "Active"})) ==
          "org.freedesktop.DBus.Error.UnknownObject");
}

TEST_CASE("the interface between proxy and driver is not there for clients") {
    CHECK(error_of(route_call({"/org/vireo/Driver", "org.vireo.Driver1", "ClientLeft", "s"})) ==
          "org.freedesktop.DBus.Error.UnknownObject");
    CHECK_FALSE(known_path("/org/vireo/Driver"));
    CHECK_FALSE(passes_signal("qemud", "/org/vireo/Driver", "org.vireo.Driver1", "Idle"));
}

TEST_CASE("arguments of a wrong type are refused before a driver is woken") {
    const Route route = route_call(connect("ListDomains", "s"));
    CHECK(error_of(route) == "org.freedesktop.DBus.Error.InvalidArgs");
    CHECK(route.message ==
          "Invalid arguments 's' to call org.libvirt.Connect.ListDomains(), expecting 'u'.");
    CHECK(error_of(route_property({domain_path, properties, "Set", "ss"},
                                  {"org.libvirt.Domain", "Autostart"})) ==
          "org.freedesktop.DBus.Error.InvalidArgs");
    CHECK(error_of(route_call({domain_path, properties, "GetAll", ""})) ==
          "org.freedesktop.DBus.Error.InvalidArgs");
}

TEST_CASE("reading a property needs its action, setting it the other one") {
    const PropertyName autostart{"org.libvirt.Domain", "Autostart"};
    const Route get = route_property(property_call(domain_path, "Get"), autostart);
    CHECK(get.handling == Handling::forward);
    CHECK(list(get.actions) == Strings{"org.vireo.domain.read"});
    const Route set = route_property(property_call(domain_path, "Set"), autostart);
    CHECK(list(set.actions) == Strings{"org.vireo.domain.write"});
    CHECK(error_of(route_property(property_call(domain_path, "Set"),
                                  {"org.libvirt.Domain", "Active"})) ==
          "org.freedesktop.DBus.Error.PropertyReadOnly");
    CHECK(route_property(property_call(domain_path, "Get"), {"", "Autostart"}).handling ==
          Handling::forward);
}

TEST_CASE("GetAll asks the drivers that own properties, and nobody where there are none") {
    const Route domain =
        route_property(property_call(domain_path, "GetAll"), {"org.libvirt.Domain", ""});
    CHECK(domain.handling == Handling::forward);
    CHECK(list(domain.drivers) == Strings{"qemud"});
    CHECK(list(domain.actions) == Strings{"org.vireo.domain.read"});
    const Route any = route_property(property_call(domain_path, "GetAll"), {"", ""});
    CHECK(list(any.drivers) == Strings{"qemud"});
    const Route none = route_property(property_call("/org", "GetAll"), {"", ""});
    CHECK(none.handling == Handling::merge);
    CHECK(none.drivers.empty());
    const Route standard = route_property(property_call(domain_path, "GetAll"), {properties, ""});
    CHECK(standard.handling == Handling::merge);
    CHECK(standard.drivers.empty());
    const Route unknown = route_property(property_call(domain_path, "GetAll"), {"org.x.Y", ""});
    CHECK(error_of(unknown) == "org.freedesktop.DBus.Error.UnknownInterface");
}

TEST_CASE("ObjectManager is at the native root alone") {
    const CallHeader call{
        native_root, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", ""};
    const Route route = route_call(call);
    CHECK(route.handling == Handling::merge);
    CHECK(list(route.drivers) == Strings{"qemud", "storaged", "nodedevd"});
    CHECK(list(route.actions) ==
          Strings{"org.vireo.domain.read", "org.vireo.host.read", "org.vireo.nodedev.read"});
    CallHeader elsewhere = call;
    elsewhere.path = connect_path;
    CHECK(error_of(route_call(elsewhere)) == "org.freedesktop.DBus.Error.UnknownInterface");
}

TEST_CASE("a driver's signals pass where the contract gives them to it") {
    CHECK(passes_signal("qemud", connect_path, "org.libvirt.Connect", "DomainEvent"));
    CHECK_FALSE(passes_signal("nodedevd", connect_path, "org.libvirt.Connect", "DomainEvent"));
    CHECK_FALSE(passes_signal("qemud", domain_path, "org.libvirt.Connect", "DomainEvent"));
    CHECK_FALSE(passes_signal("qemud", connect_path, "org.libvirt.Connect", "Nope"));
    CHECK_FALSE(passes_signal("qemud", "/org/vireo/Fake", "org.vireo.Fake1", "Told"));
    CHECK(passes_signal("qemud", domain_path, properties, "PropertiesChanged"));
    CHECK_FALSE(passes_signal("qemud", "/nowhere", properties, "PropertiesChanged"));
    CHECK(passes_signal(
        "qemud", native_root, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded"));
}

TEST_CASE("no call of the contract needs more names than a route holds") {
    for (const auto& i : vireo::bus::contract_interfaces()) {
        Strings actions;
        for (const auto& m : i.members) {
            if (m.kind == vireo::bus::MemberKind::property &&
                std::find(actions.begin(), actions.end(), m.action) == actions.end()) {
                actions.emplace_back(m.action);
            }
        }
        CHECK(actions.size() < 8); // one more for SECURE
    }
    CHECK(drivers_of_contract().size() <= 8);
    Names names;
    for (const char* const name : {"a", "b", "a", ""}) {
        names.add(name);
    }
    CHECK(list(names) == Strings{"a", "b"});
}

TEST_CASE("introspection shows a path's interfaces and the folders below it") {
    const std::string root = introspect("/");
    CHECK(root.find("<node name=\"org\"/>") != std::string::npos);
    CHECK(root.find("org.libvirt.Connect") == std::string::npos);
    const std::string connection = introspect(connect_path);
    CHECK(connection.find("<interface name=\"org.libvirt.Connect\">") != std::string::npos);
    CHECK(connection.find("<node name=\"domainsnapshot\"/>") != std::string::npos);
    const std::string domain = introspect(domain_path);
    CHECK(domain.find("<interface name=\"org.libvirt.Domain\">") != std::string::npos);
    CHECK(domain.find("org.freedesktop.DBus.Properties") != std::string::npos);
    CHECK(domain.find("<node name=") == std::string::npos);
    const std::string native = introspect(native_root);
    CHECK(native.find("org.freedesktop.DBus.ObjectManager") != std::string::npos);
    CHECK(native.find("<node name=\"domain\"/>") != std::string::npos);
    CHECK(native.find("Driver") == std::string::npos);
    CHECK(introspect("/nowhere").empty());
    CHECK(introspect("/org/lib").empty());
}

TEST_CASE("a driver's places follow from its name") {
    vireo::Options options{};
    options.directories = vireo::Directories::below("/r");
    options.root = "/r";
    options.idle_timeout = std::chrono::seconds(7);
    const vireo::DriverPlaces places = vireo::places_of("qemud", options, "/usr/sbin");
    CHECK(places.daemon == "vireo-qemud");
    CHECK(places.socket == "/r/run/qemud.sock");
    CHECK(places.socket_name == "qemud.sock");
    CHECK(places.lock == "/r/run/qemud.pid");
    CHECK(places.program == "/usr/sbin/vireo-qemud");
    CHECK(places.arguments == Strings{"--system", "--root", "/r", "--idle-timeout", "7"});
    CHECK(places.socket_unit.empty()); // the system's systemd knows of the system's instance only
    options.session = true;
    options.root.clear();
    CHECK(vireo::places_of("qemud", options, "/usr/sbin").socket_unit.empty());
    CHECK(vireo::places_of("qemud", options, "/usr/sbin").arguments ==
          Strings{"--session", "--idle-timeout", "7"});
    CHECK(drivers_of_contract() == std::vector<std::string_view>{"nodedevd", "qemud", "storaged"});
}
