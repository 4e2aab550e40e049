// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The contract of every D-Bus interface as constant data, generated at build time from
/// interfaces/*.xml: nothing is parsed at run time.
namespace vireo::bus {

enum class MemberKind : uint8_t { method, property, signal };

/// What PropertiesChanged tells of a property (org.freedesktop.DBus.Property.EmitsChangedSignal).
enum class ChangeSignal : uint8_t { value, invalidated, constant, silent };

struct ContractMember {
    std::string_view name;
    std::string_view signature;      // a method's or signal's arguments, a property's type
    std::string_view result;         // a method's results
    std::string_view argument_names; // in signature's order, then in result's, a space between two
    std::string_view driver;         // daemon without "vireo-", as in qemud.sock; empty: nobody
    std::string_view action;         // polkit action to call, to read; empty: private interface
    std::string_view set_action;     // to set a writable property
    std::string_view secure_action;  // to call with bit 0 (SECURE) of the flags, the last argument
    MemberKind kind;
    ChangeSignal changes;
    bool writable;
    bool no_reply;
};

struct ContractInterface {
    std::string_view name;
    std::string_view path;                   // where it is served, up to the first `/*`
    std::string_view pattern;                // the whole of it; `*` stands for any one element
    bool is_private;                         // between proxy and driver, on the driver's socket
    std::span<const ContractMember> members; // by kind, then name
    std::string_view introspection;          // its <interface> element; empty when private

    /// nullptr where there is no such member.
    const ContractMember* find(MemberKind kind, std::string_view member) const noexcept;
    /// Whether an object at this path may have this interface; says nothing of its existence.
    bool at(std::string_view object_path) const noexcept;
};

/// Sorted by name.
std::span<const ContractInterface> contract_interfaces() noexcept;
/// nullptr where there is none of that name.
const ContractInterface* find_contract(std::string_view interface) noexcept;

/// Compares the members of `interface` that the contract gives to `driver` (all of them where the
/// interface is private) with a vtable made by sd-bus's macros or bus::method and its like. One
/// sentence per difference: missing, not the driver's to serve, signature, argument names,
/// writable, change signal, no-reply; empty when they agree.
std::vector<std::string> contract_differences(std::string_view driver,
                                              std::string_view interface,
                                              const sd_bus_vtable* vtable);

} // namespace vireo::bus
