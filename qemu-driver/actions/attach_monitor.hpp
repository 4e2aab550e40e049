// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/reply.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace vireo::qemu::actions {

/// Connects the domain's guest with its QEMU: commands from now on, events as they come.
/// Throws operation_failed where nobody listens at `path`: QEMU is gone; resource_busy where it has
/// not even accepted earlier connections: it hangs.
void attach_monitor(Driver& driver, const DomainPtr& domain, const std::string& path);

/// Takes what QEMU chose for character devices (`query-chardev`) into a live document: the paths of
/// pseudo-terminals, and which channels are connected.
void adopt_chardevs(DomainDef& live, const nlohmann::json& chardevs);

/// Stands in a guest's status for a client that is connected to the driver directly.
inline constexpr const char* direct_client = "direct";

/// Ends the guest when `caller` leaves the bus or its connection.
void watch_autodestroy(Driver& driver, const DomainPtr& domain, const bus::Caller& caller);

} // namespace vireo::qemu::actions
