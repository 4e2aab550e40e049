// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace vireo::nodedev {

/// One way in which the host uses a device.
struct DeviceUse {
    /// `mount`, `swap`, `lvm`, `raid`, `device-mapper`, `open`, `guest` ...
    std::string kind;
    /// The mount point, volume group and volume, array, mapping, process or guest.
    std::string by;
    /// The block device or node it goes through: `/dev/nvme0n1p2`.
    std::string device;

    auto operator<=>(const DeviceUse&) const = default;
};

} // namespace vireo::nodedev
