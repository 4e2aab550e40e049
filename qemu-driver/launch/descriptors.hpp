// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"
#include "qemu-driver/devices/launch.hpp"

#include <vector>

namespace vireo::qemu {

/// A descriptor that is passed to QEMU, with the number under which QEMU finds it.
struct OpenedDescriptor {
    Fd fd;
    int number;
    std::string owner; // alias of the device that it is for
    std::string tap;   // name of the tap device, where it is one
};

/// Opens what a launch passes to QEMU: sockets listen, files are open, taps are in their bridge.
/// Throws what failed, naming the device; what was opened before is closed then, and taps made here
/// vanish with it.
std::vector<OpenedDescriptor> open_descriptors(const std::vector<Descriptor>& wanted);

} // namespace vireo::qemu
