// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

namespace vireo::qemu::actions {

/// What QEMU tells of becomes the domain's state and libvirt's signals.
/// Source: QEMU QMP reference, "Events"; libvirt's virDomainEvent* for the numbers.
void handle_guest_event(Driver& driver, const DomainPtr& domain, const qmp::Client::Event& event);

} // namespace vireo::qemu::actions
