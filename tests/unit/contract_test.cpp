// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vireo::bus;

namespace {

int ignored(sd_bus_message*, void*, sd_bus_error*) {
    return 0;
}

int ignored_get(
    sd_bus*, const char*, const char*, const char*, sd_bus_message*, void*, sd_bus_error*) {
    return 0;
}

#define DRIVER1_CLIENT_LEFT                                                                        \
    SD_BUS_METHOD_WITH_NAMES(                                                                      \
        "ClientLeft", "s", SD_BUS_PARAM(name), "", , ignored, SD_BUS_VTABLE_METHOD_NO_REPLY)
#define DRIVER1_WATCH SD_BUS_SIGNAL_WITH_NAMES("WatchClient", "s", SD_BUS_PARAM(name), 0)
#define DRIVER1_IDLE SD_BUS_SIGNAL("Idle", "", 0)

size_t count(MemberKind kind) {
    size_t n = 0;
    for (const ContractInterface& i : contract_interfaces()) {
        if (i.name.starts_with("org.libvirt.")) {
            n += std::count_if(
                i.members.begin(), i.members.end(), [&](const auto& m) { return m.kind == kind; });
        }
    }
    return n;
}

} // namespace

TEST_CASE("the contract has all members of libvirt-dbus") {
    CHECK(count(MemberKind::method) == 195);
    CHECK(count(MemberKind::property) == 37);
    CHECK(count(MemberKind::signal) == 28);
}

TEST_CASE("every member is found by its name and kind, and nothing else is") {
    for (const ContractInterface& i : contract_interfaces()) {
        CHECK(find_contract(i.name) == &i);
        for (const ContractMember& m : i.members) {
            CHECK(i.find(m.kind, m.name) == &m);
        }
    }
    CHECK(find_contract("org.libvirt.Domai") == nullptr);
    CHECK(find_contract("org.libvirt.Domainz") == nullptr);
    CHECK(find_contract("") == nullptr);
    const ContractInterface& domain = *find_contract("org.libvirt.Domain");
    CHECK(domain.find(MemberKind::method, "Active") == nullptr);
    CHECK(domain.find(MemberKind::property, "Active") != nullptr);
    CHECK(domain.find(MemberKind::method, "zzz") == nullptr);
    CHECK(domain.find(MemberKind::method, "Reboot") != domain.find(MemberKind::signal, "Reboot"));
}

TEST_CASE("a member carries what its XML says") {
    const ContractInterface& domain = *find_contract("org.libvirt.Domain");
    const ContractMember& xml = *domain.find(MemberKind::method, "GetXMLDesc");
    CHECK(xml.signature == "u");
    CHECK(xml.result == "s");
    CHECK(xml.argument_names == "flags xml");
    CHECK(xml.action == "org.vireo.domain.read");
    CHECK(xml.secure_action == "org.vireo.domain.write");
    const ContractMember& autostart = *domain.find(MemberKind::property, "Autostart");
    CHECK(autostart.writable);
    CHECK(autostart.set_action == "org.vireo.domain.write");
    CHECK(autostart.changes == ChangeSignal::value);
    CHECK(domain.find(MemberKind::property, "UUID")->changes == ChangeSignal::constant);
}

TEST_CASE("an interface is at its path, each star one element") {
    const ContractInterface& connect = *find_contract("org.libvirt.Connect");
    CHECK(connect.at("/org/libvirt/QEMU"));
    CHECK_FALSE(connect.at("/org/libvirt/QEMU/domain"));
    const ContractInterface& domain = *find_contract("org.libvirt.Domain");
    CHECK(domain.at("/org/libvirt/QEMU/domain/_1"));
    CHECK_FALSE(domain.at("/org/libvirt/QEMU/domain"));
    CHECK_FALSE(domain.at("/org/libvirt/QEMU/domain/"));
    CHECK_FALSE(domain.at("/org/libvirt/QEMU/domain/_1/x"));
    CHECK_FALSE(domain.at("/org/libvirt/QEMU/domainsnapshot/_1"));
    const ContractInterface& memory = *find_contract("org.vireo.MemoryDevice1");
    CHECK(memory.path == "/org/vireo/domain");
    CHECK(memory.at("/org/vireo/domain/_1/memory/virtiomem0"));
    CHECK_FALSE(memory.at("/org/vireo/domain/_1/memory/"));
    CHECK_FALSE(memory.at("/org/vireo/domain/_1/memory"));
    CHECK_FALSE(memory.at("/org/vireo/domain/_1"));
    CHECK_FALSE(memory.at("/org/vireo/domain//memory/virtiomem0"));
    CHECK_FALSE(memory.at("/org/vireo/domain/_1/memory/virtiomem0/x"));
}

TEST_CASE("introspection has argument names and none of the contract's own annotations") {
    for (const ContractInterface& i : contract_interfaces()) {
        CHECK(i.introspection.empty() == i.is_private);
        CHECK(i.introspection.find("org.vireo.Driver\"") == std::string_view::npos);
        CHECK(i.introspection.find("<!--") == std::string_view::npos);
    }
    const std::string text(find_contract("org.libvirt.NodeDevice")->introspection);
    CHECK(text.starts_with("<interface name=\"org.libvirt.NodeDevice\">"));
    CHECK(text.find("<method name=\"Detach\"><arg name=\"driverName\" type=\"s\" direction=\"in\"/>"
                    "<arg name=\"flags\" type=\"u\" direction=\"in\"/></method>") !=
          std::string::npos);
}

TEST_CASE("a vtable that agrees with the contract has no differences") {
    const sd_bus_vtable vtable[] = {SD_BUS_VTABLE_START(0),
                                    DRIVER1_CLIENT_LEFT,
                                    DRIVER1_WATCH,
                                    DRIVER1_IDLE,
                                    SD_BUS_VTABLE_END};
    CHECK(contract_differences("qemud", "org.vireo.Driver1", vtable).empty());
}

TEST_CASE("each difference of a vtable is told") {
    const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("ClientLeft", "u", SD_BUS_PARAM(who), "", , ignored, 0),
        DRIVER1_WATCH,
        SD_BUS_SIGNAL("Extra", "", 0),
        SD_BUS_VTABLE_END};
    const std::vector<std::string> expected{
        "method org.vireo.Driver1.ClientLeft: signature is 'u', expected 's'",
        "method org.vireo.Driver1.ClientLeft: argument names is 'who', expected 'name'",
        "method org.vireo.Driver1.ClientLeft: no-reply is 'no', expected 'yes'",
        "signal org.vireo.Driver1.Extra: not in the contract",
        "signal org.vireo.Driver1.Idle: missing in the vtable"};
    CHECK(contract_differences("qemud", "org.vireo.Driver1", vtable) == expected);
    CHECK(contract_differences("qemud", "org.x.None", vtable) ==
          std::vector<std::string>{"org.x.None: no such interface in the contract"});
}

TEST_CASE("a driver is told of members that are another's, and of properties' flags") {
    const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", ignored_get, 0, 0),
        SD_BUS_WRITABLE_PROPERTY(
            "Parent", "s", ignored_get, nullptr, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_METHOD_WITH_NAMES(
            "GetXMLDesc", "u", SD_BUS_PARAM(flags), "s", SD_BUS_PARAM(xml), ignored, 0),
        SD_BUS_METHOD_WITH_NAMES("ListCaps", "", , "as", SD_BUS_PARAM(names), ignored, 0),
        SD_BUS_VTABLE_END};
    const std::vector<std::string> expected{
        "property org.libvirt.NodeDevice.Name: change signal is 'silent', expected 'constant'",
        "property org.libvirt.NodeDevice.Parent: writable is 'yes', expected 'no'",
        "method org.libvirt.NodeDevice.Destroy: missing in the vtable",
        "method org.libvirt.NodeDevice.Detach: missing in the vtable",
        "method org.libvirt.NodeDevice.ReAttach: missing in the vtable",
        "method org.libvirt.NodeDevice.Reset: missing in the vtable"};
    CHECK(contract_differences("nodedevd", "org.libvirt.NodeDevice", vtable) == expected);
    const std::vector<std::string> foreign =
        contract_differences("qemud", "org.libvirt.NodeDevice", vtable);
    REQUIRE(foreign.size() == 4);
    CHECK(foreign.back() == "method org.libvirt.NodeDevice.ListCaps: the contract gives it to "
                            "'nodedevd', not to 'qemud'");
}
