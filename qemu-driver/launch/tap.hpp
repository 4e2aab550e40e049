// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <string>

namespace vireo::qemu {

struct TapWish {
    std::string name;   // empty: `vnetN`, the kernel chooses N
    std::string bridge; // empty: in none
    bool virtio_header = false;
    bool multi_queue = false;
};

struct Tap {
    Fd fd;
    std::string name;
};

/// Opens a tap device, makes it where it does not exist, brings it up and puts it into the bridge.
/// One that was made here vanishes when the last descriptor is closed. Throws system_error naming
/// device or bridge. Source: Linux, Documentation/networking/tuntap.rst.
Tap open_tap(const TapWish& wish);

} // namespace vireo::qemu
