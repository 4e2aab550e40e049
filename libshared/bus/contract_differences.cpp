// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::bus {

namespace {

/// sd-bus keeps one name per complete type, each ended by a NUL, and one more NUL after the last.
std::string joined_names(const char* names) {
    std::string joined;
    for (; names != nullptr && *names != '\0'; names += std::string_view(names).size() + 1) {
        joined += joined.empty() ? "" : " ";
        joined += names;
    }
    return joined;
}

std::string_view text(const char* from_vtable) {
    return from_vtable ? from_vtable : "";
}

struct Found {
    std::string name;
    MemberKind kind;
    std::string signature, result, argument_names;
    ChangeSignal changes = ChangeSignal::value;
    bool writable = false;
    bool no_reply = false;
};

ChangeSignal change_signal(uint64_t flags) {
    if (flags & SD_BUS_VTABLE_PROPERTY_CONST) {
        return ChangeSignal::constant;
    }
    if (flags & SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION) {
        return ChangeSignal::invalidated;
    }
    return flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE ? ChangeSignal::value : ChangeSignal::silent;
}

std::vector<Found> members_of(const sd_bus_vtable* vtable) {
    std::vector<Found> found;
    for (const sd_bus_vtable* v = vtable + 1; v->type != _SD_BUS_VTABLE_END; ++v) {
        const bool writable = v->type == _SD_BUS_VTABLE_WRITABLE_PROPERTY;
        if (v->type == _SD_BUS_VTABLE_METHOD) {
            found.push_back({.name = v->x.method.member,
                             .kind = MemberKind::method,
                             .signature = std::string(text(v->x.method.signature)),
                             .result = std::string(text(v->x.method.result)),
                             .argument_names = joined_names(v->x.method.names),
                             .no_reply = (v->flags & SD_BUS_VTABLE_METHOD_NO_REPLY) != 0});
        } else if (v->type == _SD_BUS_VTABLE_SIGNAL) {
            found.push_back({.name = v->x.signal.member,
                             .kind = MemberKind::signal,
                             .signature = std::string(text(v->x.signal.signature)),
                             .result = {},
                             .argument_names = joined_names(v->x.signal.names)});
        } else if (v->type == _SD_BUS_VTABLE_PROPERTY || writable) {
            found.push_back({.name = v->x.property.member,
                             .kind = MemberKind::property,
                             .signature = std::string(text(v->x.property.signature)),
                             .result = {},
                             .argument_names = {},
                             .changes = change_signal(v->flags),
                             .writable = writable});
        }
    }
    return found;
}

std::string_view shown(MemberKind kind) {
    constexpr std::string_view kinds[] = {"method", "property", "signal"};
    return kinds[static_cast<size_t>(kind)];
}

std::string_view shown(ChangeSignal changes) {
    constexpr std::string_view signals[] = {"value", "invalidated", "constant", "silent"};
    return signals[static_cast<size_t>(changes)];
}

class Comparison {
  public:
    Comparison(std::vector<std::string>& out, std::string_view where) : out_(out), where_(where) {}

    void same(std::string_view what, std::string_view is, std::string_view expected) {
        if (is != expected) {
            out_.push_back(
                fmt::format("{}: {} is '{}', expected '{}'", where_, what, is, expected));
        }
    }

    void same_answer(std::string_view what, bool is, bool expected) {
        same(what, is ? "yes" : "no", expected ? "yes" : "no");
    }

  private:
    std::vector<std::string>& out_;
    std::string_view where_;
};

void compare(std::vector<std::string>& out,
             std::string_view where,
             const Found& found,
             const ContractMember& wanted,
             bool libvirt) {
    Comparison check(out, where);
    check.same("signature", found.signature, wanted.signature);
    if (found.kind == MemberKind::property) {
        check.same_answer("writable", found.writable, wanted.writable);
        // libvirt-dbus declares nothing for a property that changes, and sends no signal for it
        // either: a driver is free to send one.
        if (wanted.changes != ChangeSignal::value || found.changes != ChangeSignal::silent ||
            !libvirt) {
            check.same("change signal", shown(found.changes), shown(wanted.changes));
        }
        return;
    }
    check.same("result", found.result, wanted.result);
    check.same("argument names", found.argument_names, wanted.argument_names);
    check.same_answer("no-reply", found.no_reply, wanted.no_reply);
}

} // namespace

std::vector<std::string> contract_differences(std::string_view driver,
                                              std::string_view interface,
                                              const sd_bus_vtable* vtable) {
    const ContractInterface* const contract = find_contract(interface);
    if (contract == nullptr) {
        return {fmt::format("{}: no such interface in the contract", interface)};
    }
    const auto serves = [&](const ContractMember& m) {
        return contract->is_private || m.driver == driver;
    };
    std::vector<std::string> out;
    const std::vector<Found> found = members_of(vtable);
    for (const Found& f : found) {
        const std::string where = fmt::format("{} {}.{}", shown(f.kind), interface, f.name);
        const ContractMember* const wanted = contract->find(f.kind, f.name);
        if (wanted == nullptr) {
            out.push_back(where + ": not in the contract");
        } else if (!serves(*wanted)) {
            out.push_back(fmt::format("{}: the contract gives it to '{}', not to '{}'",
                                      where,
                                      wanted->driver.empty() ? "none" : wanted->driver,
                                      driver));
        } else {
            compare(out, where, f, *wanted, interface.starts_with("org.libvirt."));
        }
    }
    for (const ContractMember& m : contract->members) {
        const bool there = std::any_of(found.begin(), found.end(), [&](const Found& f) {
            return f.kind == m.kind && f.name == m.name;
        });
        if (serves(m) && !there) {
            out.push_back(
                fmt::format("{} {}.{}: missing in the vtable", shown(m.kind), interface, m.name));
        }
    }
    return out;
}

} // namespace vireo::bus
