// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/fd.hpp"
#include "nodedev-driver/probe/device_uses.hpp"
#include "tests/support/device_tree.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <algorithm>

using namespace vireo::nodedev;
using namespace vireo::test;
using vireo::Sysfs;

namespace {

using Uses = std::vector<DeviceUse>;

struct Drive {
    Drive()
        : function(add_nvme_controller(host, "0000:01:00.0", 0)),
          disk(add_namespace(host, function + "/nvme/nvme0", 0, 1)) {}

    void partition(unsigned number) {
        const std::string name = "nvme0n1p" + std::to_string(number);
        host.device(disk + "/" + name,
                    "class/block",
                    {{"partition", std::to_string(number)},
                     {"dev", "259:5" + std::to_string(number) + "\n"}});
    }

    /// A block device that is built on `below`.
    std::string holder(const std::string& name, const std::string& below) {
        const std::string path = "/sys/devices/virtual/block/" + name;
        host.device(path, "class/block", {{"dev", "253:" + name.substr(3) + "\n"}});
        host.link(below + "/holders/" + name, path);
        return path;
    }

    Uses uses() const {
        const Sysfs sysfs(host.root());
        return disk_uses(sysfs, UseTables(sysfs), disk);
    }

    HostTree host;
    std::string function;
    std::string disk;
};

} // namespace

TEST_CASE("a drive that nobody uses is used by nobody") {
    Drive drive;
    CHECK(drive.uses().empty());
    drive.partition(1);
    drive.host.write("/proc/1/mountinfo", "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
    drive.host.write("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
    CHECK(drive.uses().empty());
}

TEST_CASE("file systems and swap on partitions are found, whatever the mount point is called") {
    Drive drive;
    drive.partition(1);
    drive.partition(2);
    drive.host.write(
        "/proc/1/mountinfo",
        "21 1 254:1 / / rw - ext4 /dev/vda1 rw\n"
        "36 21 259:51 / /srv/my\\040data rw,noatime shared:1 master:2 - xfs /dev/root rw\n");
    drive.host.write("/proc/swaps",
                     "Filename\t\tType\t\tSize\n/dev/nvme0n1p2          partition\t1000\n");
    CHECK(drive.uses() == Uses{{"mount", "/srv/my data", "/dev/nvme0n1p1"},
                               {"swap", "/dev/nvme0n1p2", "/dev/nvme0n1p2"}});
    CHECK(describe_use(drive.uses().front()) == "mount '/srv/my data' (/dev/nvme0n1p1)");
}

TEST_CASE("a file system over several devices is found by its own list") {
    Drive drive;
    drive.host.write("/proc/1/mountinfo", "36 1 0:42 / /pool rw - btrfs /dev/nvme0n1 rw\n");
    CHECK(drive.uses() == Uses{{"mount", "/pool", "/dev/nvme0n1"}});
    drive.host.write("/proc/1/mountinfo", "36 1 0:42 / /pool rw - btrfs /dev/sdz rw\n");
    drive.host.write("/sys/fs/btrfs/1111-22/devices/nvme0n1/x", "");
    CHECK(drive.uses() == Uses{{"btrfs", "1111-22", "/dev/nvme0n1"}});
}

TEST_CASE("what is built on a drive is named, and what is built on that") {
    Drive drive;
    drive.partition(1);
    const std::string volume = drive.holder("dm-0", drive.disk + "/nvme0n1p1");
    drive.host.write(volume + "/dm/name", "vg0-root--fs\n");
    drive.host.write(volume + "/dm/uuid", "LVM-abc\n");
    const std::string crypt = drive.holder("dm-1", volume);
    drive.host.write(crypt + "/dm/name", "secret\n");
    drive.host.write(crypt + "/dm/uuid", "CRYPT-LUKS2-x\n");
    drive.host.write("/proc/1/mountinfo", "36 1 253:1 / /home rw - ext4 /dev/mapper/secret rw\n");
    drive.host.write(drive.holder("md-127", drive.disk) + "/md/level", "raid1\n");
    drive.holder("bc-0", drive.disk);
    CHECK(drive.uses() == Uses{{"device-mapper", "secret", "/dev/dm-0"},
                               {"holder", "bc-0", "/dev/nvme0n1"},
                               {"lvm", "vg0/root-fs", "/dev/nvme0n1p1"},
                               {"mount", "/home", "/dev/dm-1"},
                               {"raid", "md-127", "/dev/nvme0n1"}});
}

TEST_CASE("a path of a multipath device is in use by it, and by what is on that") {
    Drive drive;
    const std::string map = drive.holder("dm-5", drive.disk);
    drive.host.write(map + "/dm/name", "mpatha\n");
    drive.host.write(map + "/dm/uuid", "mpath-eui.0025385b61b0a4c1\n");
    drive.host.write("/proc/swaps", "Filename\tType\n/dev/dm-5 partition\t1000\n");
    CHECK(drive.uses() ==
          Uses{{"multipath", "mpatha", "/dev/nvme0n1"}, {"swap", "/dev/dm-5", "/dev/dm-5"}});
}

TEST_CASE("who has claimed a drive unseen is a ZFS pool where udev saw one") {
    Drive drive;
    drive.partition(1);
    const Sysfs sysfs(drive.host.root());
    CHECK(unseen_user(sysfs, drive.disk) ==
          DeviceUse{"holder", "unknown, but it has it for itself", "/dev/nvme0n1"});
    drive.host.write(drive.disk + "/nvme0n1p1/uevent", "MAJOR=259\nMINOR=51\nDEVNAME=nvme0n1p1\n");
    drive.host.write("/run/udev/data/b259:51", "E:ID_FS_TYPE=zfs_member\nE:ID_FS_LABEL=tank\n");
    CHECK(unseen_user(sysfs, drive.disk) == DeviceUse{"zfs", "tank", "/dev/nvme0n1p1"});
}

TEST_CASE("all uses of now are told by disk, and what has the controller's node apart") {
    Drive drive;
    const std::string second = add_namespace(drive.host, drive.function + "/nvme/nvme0", 0, 2);
    drive.host.write("/proc/1/mountinfo", "36 1 259:2 / /srv rw - ext4 /dev/nvme0n2 rw\n");
    drive.host.write("/proc/7/comm", "dd\n");
    drive.host.link("/proc/7/fd/3", "/dev/nvme0");
    drive.host.link("/proc/7/fd/4", "/dev/ng0n1");
    const auto found = uses_now(Sysfs(drive.host.root()), {drive.disk, second}, {"/dev/nvme0"});
    CHECK(found.at(drive.disk) == Uses{{"open", "dd (process 7)", "/dev/ng0n1"}});
    CHECK(found.at(second) == Uses{{"mount", "/srv", "/dev/nvme0n2"}});
    CHECK(found.at("") == Uses{{"open", "dd (process 7)", "/dev/nvme0"}});
}

TEST_CASE("a holder that holds itself ends the search") {
    Drive drive;
    const std::string volume = drive.holder("dm-0", drive.disk);
    drive.host.link(volume + "/holders/dm-0", volume);
    CHECK(drive.uses() ==
          Uses{{"holder", "dm-0", "/dev/dm-0"}, {"holder", "dm-0", "/dev/nvme0n1"}});
}

TEST_CASE("the disks of a function are those below it, and those that its controllers reach") {
    Drive drive;
    const std::string subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys9";
    drive.host.link(subsystem + "/nvme0", drive.function + "/nvme/nvme0");
    drive.host.device(drive.function + "/nvme/nvme0/nvme9c0n4", "class/block", {{"nsid", "4\n"}});
    const std::string shared = add_namespace(drive.host, subsystem, 9, 4);
    add_namespace(drive.host, subsystem, 9, 5);
    const auto disks = disks_of(Sysfs(drive.host.root()), drive.function);
    CHECK(std::count(disks.begin(), disks.end(), drive.disk) == 1);
    CHECK(std::count(disks.begin(), disks.end(), shared) == 1);
    CHECK(disks.size() == 3); // and the hidden one
    CHECK(disks_of(Sysfs(drive.host.root()), pci_bus + "/0000:01:00").empty());
}

TEST_CASE("processes that hold a node open are named") {
    Drive drive;
    drive.partition(1);
    const auto nodes = nodes_of(Sysfs(drive.host.root()), drive.disk);
    CHECK(nodes == std::vector<std::string>{"/dev/nvme0n1", "/dev/nvme0n1p1", "/dev/ng0n1"});
    drive.host.write("/proc/4711/comm", "qemu-system-x86\n");
    drive.host.link("/proc/4711/fd/7", "/dev/nvme0n1p1");
    drive.host.link("/proc/4711/fd/8", "/dev/null");
    drive.host.link("/proc/4711/fd/9", "/dev/nvme0n1p1");
    CHECK(open_by(Sysfs(drive.host.root()), nodes) ==
          Uses{{"open", "qemu-system-x86 (process 4711)", "/dev/nvme0n1p1"}});
}

TEST_CASE("a block device that somebody has for himself is told apart") {
    CHECK_FALSE(is_claimed("/dev/null"));
    CHECK_FALSE(is_claimed("/nonexistent"));
    for (const std::string& name : Sysfs().names("/sys/class/block")) {
        if (!name.starts_with("loop") && !name.starts_with("zram") && !name.starts_with("ram")) {
            continue; // nobody's disk is touched
        }
        const std::string node = "/dev/" + name;
        vireo::Fd holder(::open(node.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
        if (holder) {
            CHECK(is_claimed(node));
            holder.reset();
            CHECK_FALSE(is_claimed(node));
            return;
        }
    }
    MESSAGE("skipped: no loop device or RAM disk can be opened here");
}
