// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/guest_devices.hpp"

#include <string>

namespace vireo::qemu::actions {

/// Adds the device to the running guest, whatever its kind, and gives its alias: what it needs of
/// the host is taken, it is made in QEMU, and stands in the live document and the status; then it
/// is told of. Nothing of it is left where a step fails. Throws config_unsupported for what cannot
/// work, operation_invalid where the guest is not running, and what QEMU refuses as it says it. In
/// the domain's turn.
Task<std::string> plug_device(Driver& driver, DomainPtr domain, Device device);

} // namespace vireo::qemu::actions
