// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/reply.hpp"
#include "libshared/bus/types.hpp"

#include <memory>
#include <string_view>
#include <vector>

/// How properties are read from a vtable where sd-bus cannot do it itself.
namespace vireo::bus {

/// A property whose getter has to wait (bus::waiting in vtable.hpp makes one).
struct WaitingProperty {
    const char* name;
    Task<void> (*append)(std::shared_ptr<void> object, sd_bus_message* reply);
};

/// The waiting properties of one interface, and where their reading lives.
struct WaitingProperties {
    Scope* tasks = nullptr;
    std::vector<WaitingProperty> properties;
};

/// Null where there is none of that name.
const sd_bus_vtable* find_property(const sd_bus_vtable* vtable, std::string_view name);
const WaitingProperty* find_waiting(const WaitingProperties& waiting, std::string_view name);

/// An empty reply to `call`.
Message new_return(sd_bus_message* call);

/// Answers Get with one waiting property.
Task<void> answer_get(std::shared_ptr<void> object,
                      Reply reply,
                      Message message,
                      const sd_bus_vtable* item,
                      const WaitingProperty* waiting);

/// Answers GetAll; waits only where one of `waiting` is there. On `org.libvirt.*` each value is
/// within one more variant.
Task<void> answer_get_all(std::shared_ptr<void> object,
                          Reply reply,
                          Message message,
                          const sd_bus_vtable* vtable,
                          const WaitingProperties* waiting,
                          const char* interface);

} // namespace vireo::bus
