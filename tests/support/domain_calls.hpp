// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/client.hpp"
#include "tests/support/text.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

/// What tests of domains call again and again, through the proxy.
namespace vireo::test {

using StatePair = std::tuple<std::int32_t, std::int32_t>;
/// virDomainEventType and its detail.
using LifecycleDetail = std::pair<std::int32_t, std::int32_t>;

inline constexpr auto event_limit = std::chrono::seconds(20);

inline Target domain_at(const bus::ObjectPath& path) {
    return libvirt_object(path, "org.libvirt.Domain");
}

inline bus::ObjectPath define(Client& client, const std::string& xml) {
    return client.call<bus::ObjectPath>(libvirt_connect, "DomainDefineXML", xml);
}

inline void start(Client& client, const bus::ObjectPath& path, std::uint32_t flags = 0) {
    client.call(domain_at(path), "Create", flags);
}

inline void destroy(Client& client, const bus::ObjectPath& path) {
    client.call(domain_at(path), "Destroy", std::uint32_t{0});
}

inline StatePair state_of(Client& client, const bus::ObjectPath& path) {
    return client.call<StatePair>(domain_at(path), "GetState", std::uint32_t{0});
}

inline std::string xml_of(Client& client, const bus::ObjectPath& path, std::uint32_t flags = 0) {
    return client.call<std::string>(domain_at(path), "GetXMLDesc", flags);
}

inline std::vector<bus::ObjectPath> list_domains(Client& client, std::uint32_t flags = 0) {
    return client.call<std::vector<bus::ObjectPath>>(libvirt_connect, "ListDomains", flags);
}

/// The next event of any domain.
inline LifecycleDetail next_event(Watch& events) {
    const auto [path, event, detail] =
        events.next<bus::ObjectPath, std::int32_t, std::int32_t>(event_limit);
    return {event, detail};
}

/// Takes events until one is of that type; gives its detail.
inline std::int32_t await_event(Watch& events, std::int32_t wanted) {
    const auto is_wanted = [wanted](const auto& event) { return std::get<1>(event) == wanted; };
    return std::get<2>(
        events.next_where<bus::ObjectPath, std::int32_t, std::int32_t>(is_wanted, event_limit));
}

/// The text of the org.libvirt.Error that a call ends in.
inline std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const CallError& e) {
        CHECK(e.name() == std::string("org.libvirt.Error"));
        return e.what();
    }
    return "no error";
}

using Values = std::map<std::string, bus::Variant>;

/// Reads an `a{sv}` as libvirt-dbus sends it: each value must be in a variant of its own. A
/// structure is shown by its signature.
Values read_double_variants(sd_bus_message* message);

} // namespace vireo::test
