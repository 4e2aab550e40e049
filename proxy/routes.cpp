// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/routes.hpp"

#include "libshared/error.hpp"

#include <systemd/sd-bus.h>

#include <algorithm>

namespace vireo::proxy {

using bus::contract_interfaces;
using bus::ContractInterface;
using bus::ContractMember;
using bus::find_contract;
using bus::MemberKind;

namespace {

constexpr std::string_view properties = "org.freedesktop.DBus.Properties";
constexpr std::string_view introspectable = "org.freedesktop.DBus.Introspectable";
constexpr std::string_view peer = "org.freedesktop.DBus.Peer";
constexpr std::string_view object_manager = "org.freedesktop.DBus.ObjectManager";

struct StandardMethod {
    std::string_view interface, member, signature;
};

constexpr StandardMethod standard_methods[] = {
    {properties, "Get", "ss"},
    {properties, "Set", "ssv"},
    {properties, "GetAll", "s"},
    {introspectable, "Introspect", ""},
    {peer, "Ping", ""},
    {peer, "GetMachineId", ""},
    {object_manager, "GetManagedObjects", ""},
};

bool below(std::string_view path, std::string_view prefix) noexcept {
    return path.starts_with(prefix) && path.size() > prefix.size() && path[prefix.size()] == '/';
}

bool is_standard(std::string_view path, std::string_view interface) noexcept {
    if (interface == object_manager) {
        return path == native_root;
    }
    return std::any_of(std::begin(standard_methods),
                       std::end(standard_methods),
                       [&](const StandardMethod& m) { return m.interface == interface; });
}

/// The public interfaces that an object at `path` may have, `name` only where one is named.
template <class Use>
void each_interface(std::string_view path, std::string_view name, const Use& use) {
    if (!name.empty()) {
        const ContractInterface* const one = find_contract(name);
        if (one != nullptr && !one->is_private && one->at(path)) {
            use(*one);
        }
        return;
    }
    for (const ContractInterface& i : contract_interfaces()) {
        if (!i.is_private && i.at(path)) {
            use(i);
        }
    }
}

Route refuse(const char* error, std::string message) {
    Route route;
    route.error = error;
    route.message = std::move(message);
    return route;
}

Route unknown_object(std::string_view path) {
    return refuse(SD_BUS_ERROR_UNKNOWN_OBJECT, fmt::format("Unknown object '{}'.", path));
}

Route unknown_interface(std::string_view path, std::string_view interface) {
    return refuse(SD_BUS_ERROR_UNKNOWN_INTERFACE,
                  fmt::format("Unknown interface '{}' at '{}'.", interface, path));
}

Route not_served(std::string_view member) {
    return refuse("org.libvirt.Error", Error(ErrorCode::no_support, "{}", member).phrased());
}

Route wrong_signature(const CallHeader& call, std::string_view expected) {
    return refuse(SD_BUS_ERROR_INVALID_ARGS,
                  fmt::format("Invalid arguments '{}' to call {}.{}(), expecting '{}'.",
                              call.signature,
                              call.interface,
                              call.member,
                              expected));
}

Route to_member(const CallHeader& call, const ContractMember& member) {
    if (member.driver.empty()) {
        return not_served(member.name);
    }
    if (call.signature != member.signature) {
        return wrong_signature(call, member.signature);
    }
    Route route;
    route.handling = Handling::forward;
    route.drivers.add(member.driver);
    route.actions.add(member.action);
    route.secure_action = member.secure_action;
    return route;
}

Route route_standard(const CallHeader& call, const StandardMethod& method) {
    if (call.signature != method.signature) {
        return wrong_signature(call, method.signature);
    }
    Route route;
    if (method.interface == peer) {
        route.handling = Handling::peer;
    } else if (method.interface == introspectable) {
        route.handling = Handling::introspect;
    } else if (method.interface == object_manager) {
        for (const ContractInterface& i : contract_interfaces()) {
            if (!i.is_private && below(i.path, native_root)) {
                for (const ContractMember& m : i.members) {
                    if (m.kind == MemberKind::property) { // that is what it tells
                        route.drivers.add(m.driver);
                        route.actions.add(m.driver.empty() ? "" : m.action);
                    }
                }
            }
        }
        route.handling = route.drivers.size() == 1 ? Handling::forward : Handling::merge;
    }
    return route;
}

/// The standard method that is meant, nullptr for none at this path.
const StandardMethod* find_standard(const CallHeader& call) noexcept {
    for (const StandardMethod& m : standard_methods) {
        if (is_standard(call.path, m.interface) && m.member == call.member &&
            (call.interface.empty() || call.interface == m.interface)) {
            return &m;
        }
    }
    return nullptr;
}

Route route_get_all(const CallHeader& call, std::string_view interface) {
    Route route;
    bool known = interface.empty() || is_standard(call.path, interface);
    std::string_view unserved;
    each_interface(call.path, interface, [&](const ContractInterface& i) {
        known = true;
        for (const ContractMember& m : i.members) {
            if (m.kind != MemberKind::property) {
                continue;
            }
            route.drivers.add(m.driver);
            route.actions.add(m.driver.empty() ? "" : m.action);
            unserved = m.name;
        }
    });
    if (!known) {
        return unknown_interface(call.path, interface);
    }
    if (route.drivers.empty() && !unserved.empty()) {
        return not_served("GetAll");
    }
    // Nobody has anything to say where there are no properties: the answer is an empty array.
    route.handling = route.drivers.size() == 1 ? Handling::forward : Handling::merge;
    return route;
}

} // namespace

void Names::add(std::string_view name) noexcept {
    if (!name.empty() && size_ < names_.size() && std::find(begin(), end(), name) == end()) {
        names_[size_++] = name;
    }
}

bool names_property(const CallHeader& call) noexcept {
    if (call.interface == properties) {
        return call.member == "Get" || call.member == "Set" || call.member == "GetAll";
    }
    if (!call.interface.empty()) {
        return false;
    }
    const StandardMethod* const method = find_standard(call);
    return method != nullptr && method->interface == properties;
}

Route route_call(const CallHeader& call) {
    // The usual case first: a member of the contract, its interface named.
    const ContractMember* member = nullptr;
    bool has_interface = false;
    each_interface(call.path, call.interface, [&](const ContractInterface& i) {
        has_interface = true;
        const ContractMember* const found = i.find(MemberKind::method, call.member);
        member = member != nullptr ? member : found;
    });
    if (member != nullptr) {
        return to_member(call, *member);
    }
    if (!known_path(call.path)) {
        return unknown_object(call.path);
    }
    if (const StandardMethod* const method = find_standard(call)) {
        return route_standard(call, *method);
    }
    if (!call.interface.empty() && !has_interface && !is_standard(call.path, call.interface)) {
        return unknown_interface(call.path, call.interface);
    }
    return refuse(SD_BUS_ERROR_UNKNOWN_METHOD,
                  fmt::format("Unknown method {} or interface {}.",
                              call.member,
                              call.interface.empty() ? "-" : call.interface));
}

Route route_property(const CallHeader& call, const PropertyName& name) {
    if (!known_path(call.path)) {
        return unknown_object(call.path);
    }
    if (const StandardMethod* const method = find_standard(call);
        method == nullptr || call.signature != method->signature) {
        return wrong_signature(call, method == nullptr ? "" : method->signature);
    }
    if (call.member == "GetAll") {
        return route_get_all(call, name.interface);
    }
    const ContractMember* property = nullptr;
    bool has_interface = false;
    each_interface(call.path, name.interface, [&](const ContractInterface& i) {
        has_interface = true;
        const ContractMember* const found = i.find(MemberKind::property, name.property);
        property = property != nullptr ? property : found;
    });
    if (!has_interface && !is_standard(call.path, name.interface)) {
        return unknown_interface(call.path, name.interface);
    }
    if (property == nullptr) {
        return refuse(SD_BUS_ERROR_UNKNOWN_PROPERTY,
                      fmt::format("Unknown interface {} or property {}.",
                                  name.interface.empty() ? "-" : name.interface,
                                  name.property));
    }
    if (property->driver.empty()) {
        return not_served(name.property);
    }
    const bool set = call.member == "Set";
    if (set && !property->writable) {
        return refuse(SD_BUS_ERROR_PROPERTY_READ_ONLY,
                      fmt::format("Property '{}' is not writable.", name.property));
    }
    Route route;
    route.handling = Handling::forward;
    route.drivers.add(property->driver);
    route.actions.add(set ? property->set_action : property->action);
    return route;
}

bool only_reads(const Route& route) noexcept {
    return std::ranges::all_of(route.actions,
                               [](std::string_view action) { return action.ends_with(".read"); });
}

bool passes_signal(std::string_view driver,
                   std::string_view path,
                   std::string_view interface,
                   std::string_view member) noexcept {
    if (interface == object_manager) {
        return path == native_root &&
               (member == "InterfacesAdded" || member == "InterfacesRemoved");
    }
    if (interface == properties) {
        return member == "PropertiesChanged" && known_path(path);
    }
    const ContractInterface* const found = find_contract(interface);
    if (found == nullptr || found->is_private || !found->at(path)) {
        return false;
    }
    const ContractMember* const signal = found->find(MemberKind::signal, member);
    return signal != nullptr && signal->driver == driver;
}

bool known_path(std::string_view path) noexcept {
    if (path == "/") {
        return true;
    }
    const auto interfaces = contract_interfaces();
    return std::any_of(interfaces.begin(), interfaces.end(), [&](const ContractInterface& i) {
        return !i.is_private && (i.path == path || i.at(path) || below(i.path, path));
    });
}

} // namespace vireo::proxy
