// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "nodedev-driver/model/device_use.hpp"

#include <map>
#include <string>
#include <vector>

/// What on the host uses a device. All of it is read from the kernel when it is asked for.
namespace vireo::nodedev {

/// Paths below /sys of the disks that go with the device at `path`: itself, or those below it,
/// with the disks of an NVM subsystem that its controllers reach.
std::vector<std::string> disks_of(const Sysfs& sysfs, const std::string& path);

struct Mount {
    std::string number; // of the device, 259:1
    std::string point;
    std::string source;
};

/// What all disks have in common: read once for many of them.
struct UseTables {
    explicit UseTables(const Sysfs& sysfs);

    std::vector<Mount> mounts;
    std::vector<std::string> swaps;
};

/// Mounts, swap, LVM, RAID, device mapper and other holders of a disk, its partitions and what is
/// built on them, each once. Does not wait.
std::vector<DeviceUse>
disk_uses(const Sysfs& sysfs, const UseTables& tables, const std::string& disk);

/// Processes that have one of the device nodes open (`/dev/nvme0n1`). Walks through all processes:
/// for a worker thread. Those of other users are seen by root only.
std::vector<DeviceUse> open_by(const Sysfs& sysfs, const std::vector<std::string>& nodes);

/// The disks' uses of now, those of processes included, by the disk's path; what has one of
/// `controllers` (`/dev/nvme0`) open stands under the empty path. For a worker thread, too.
std::map<std::string, std::vector<DeviceUse>> uses_now(const Sysfs& sysfs,
                                                       const std::vector<std::string>& disks,
                                                       const std::vector<std::string>& controllers);

/// Has the kernel's own user claimed the block device at `node` of this host, or a partition of it?
/// It sees what the tables do not show: a mount in a container's namespace, ZFS. Opens the node
/// for reading.
bool is_claimed(const std::string& node);

/// Who it may be that has claimed the disk at `disk` where nothing else shows him: the ZFS pool
/// that udev saw on it, or somebody unknown.
DeviceUse unseen_user(const Sysfs& sysfs, const std::string& disk);

/// Device nodes of the disk at `path`, of its partitions and of its namespace's generic device.
std::vector<std::string> nodes_of(const Sysfs& sysfs, const std::string& disk);

/// `mount '/srv' (/dev/nvme0n1p2)`, for messages.
std::string describe_use(const DeviceUse& use);

} // namespace vireo::nodedev
