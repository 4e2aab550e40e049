// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace vireo::nodedev {

/// One way in which the host uses a device.
struct DeviceUse {
    /// `mount`, `swap`, `btrfs`, `lvm`, `raid`, `multipath`, `device-mapper`, `zfs`, `holder`,
    /// `open`
    std::string kind;
    /// The mount point, volume group and volume, array, mapping, pool or process.
    std::string by;
    /// The block device or node it goes through: `/dev/nvme0n1p2`.
    std::string device;

    auto operator<=>(const DeviceUse&) const = default;
};

} // namespace vireo::nodedev
