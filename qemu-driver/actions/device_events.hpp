// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

/// QEMU's events that become one signal of org.libvirt.Domain each. `data` is the event's.
namespace vireo::qemu::actions {

void tell_of_io_error(Driver& driver, const Domain& domain, const nlohmann::json& data);
void tell_of_balloon(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void tell_of_clock(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void tell_of_agent(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void tell_of_vnc_connected(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void tell_of_vnc_initialized(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void tell_of_vnc_disconnected(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

} // namespace vireo::qemu::actions
