// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <memory>
#include <set>

namespace vireo::qemu::actions {

/// The TCP ports of the graphics of every guest that runs or starts.
std::set<std::int32_t> taken_ports(const Driver& driver);

/// Decides what the definition leaves to the host: the guest's CPU, its USB devices, chains of
/// images, places of graphics, its context id. Throws what each of them cannot be.
Task<void> prepare_guest(Driver& driver,
                         std::shared_ptr<Guest> guest,
                         std::shared_ptr<const QemuCapabilities> capabilities);

} // namespace vireo::qemu::actions
