// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/driver.hpp"

namespace vireo::qemu::actions {

/// What QEMU tells of becomes the domain's state and libvirt's signals.
/// Source: QEMU QMP reference, "Events"; libvirt's virDomainEvent* for the numbers.
void handle_guest_event(Driver& driver, const DomainPtr& domain, const qmp::Client::Event& event);

/// The guest has shut itself down and its QEMU waits: `event` is told of and it ends, or it starts
/// again, as was asked for and as its definition says.
void handle_shutdown(Driver& driver, const DomainPtr& domain, LifecycleEvent event);

/// The guest has crashed and its QEMU waits: it is told of once, and the guest ends, starts again
/// or is kept as its definition says.
void handle_panic(Driver& driver, const DomainPtr& domain);

/// Resets and resumes a guest that has shut down or crashed. A daemon that is killed meanwhile
/// leaves it to its successor.
void restart_guest(Driver& driver, const DomainPtr& domain);

} // namespace vireo::qemu::actions
