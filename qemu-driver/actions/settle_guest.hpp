// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/guest.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vireo::qemu::actions {

/// The monitor's commands between QEMU's greeting and the first instruction of its guest, in the
/// order that libvirt's users know: what QEMU chose is taken into the live document, then what has
/// no place on a command line is set: links that are down, the balloon, the limits of disks.
/// `argv` is QEMU's: objects of it whose threads have touched the guest's memory by now go.
Task<void> settle_guest(std::shared_ptr<Guest> guest, std::vector<std::string> argv);

} // namespace vireo::qemu::actions
