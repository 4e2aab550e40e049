// SPDX-License-Identifier: LGPL-2.1-or-later
// Source of what each way can do: QEMU's docs/devel and block/nvme.c, block/blkio.c; the kernel's
// Documentation/driver-api/vfio.rst.
#include "nodedev-driver/model/attachment.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace vireo::nodedev {

namespace {

/// The largest logical block of QEMU's NVMe driver.
constexpr uint32_t largest_block = 4096;

std::string unused_again(const DeviceUse& use) {
    if (use.kind == "mount" || use.kind == "btrfs") {
        return fmt::format("unmount it (umount) and take it out of /etc/fstab: {}", use.by);
    }
    if (use.kind == "swap") {
        return fmt::format("swapoff {}", use.by);
    }
    if (use.kind == "lvm") {
        return fmt::format("vgchange -an {}", use.by.substr(0, use.by.find('/')));
    }
    if (use.kind == "raid") {
        return fmt::format("mdadm --stop /dev/{}", use.by);
    }
    if (use.kind == "multipath") {
        return fmt::format("multipath -f {}", use.by);
    }
    if (use.kind == "device-mapper") {
        return fmt::format("close it (cryptsetup close, dmsetup remove): {}", use.by);
    }
    if (use.kind == "zfs") {
        return fmt::format("zpool export {}", use.by);
    }
    return use.kind == "open" ? "end the process, or the guest that it is"
                              : "find out what has it and end that";
}

void add_uses(std::vector<Obstacle>& obstacles, const std::vector<DeviceUse>& uses) {
    for (const DeviceUse& use : uses) {
        obstacles.push_back(
            {.kind = ObstacleKind::in_use,
             .text = fmt::format("the host uses it: {} '{}' ({})", use.kind, use.by, use.device),
             .way_out = unused_again(use)});
    }
}

bool is_vfio(const std::string& driver) {
    return driver.find("vfio") != std::string::npos;
}

/// What keeps the function from a guest that is to have it by VFIO.
std::vector<Obstacle> function_obstacles(const ControllerFacts& facts) {
    std::vector<Obstacle> found;
    if (facts.holder) {
        found.push_back({ObstacleKind::held,
                         facts.holder->empty()
                             ? fmt::format("an administrator detached '{}'", facts.function)
                             : fmt::format("'{}' is held by '{}'", facts.function, *facts.holder),
                         facts.holder->empty() ? "ReAttach it" : "shut that guest down"});
    }
    if (!facts.iommu) {
        found.push_back({ObstacleKind::no_iommu,
                         fmt::format("'{}' is in no IOMMU group", facts.function),
                         "switch the IOMMU on in the firmware (VT-d, AMD-Vi) and on the kernel's "
                         "command line (intel_iommu=on)"});
    }
    if (!facts.blocked_group.empty()) {
        found.push_back({ObstacleKind::group,
                         fmt::format("the host has other devices of {}", facts.blocked_group),
                         "detach these, too (org.libvirt.NodeDevice.Detach), or put the drive "
                         "into another slot"});
    }
    const std::string& driver = facts.host_driver;
    if (!driver.empty() && driver != "nvme" && !is_vfio(driver)) {
        found.push_back({ObstacleKind::driver,
                         fmt::format("driver '{}' has it, and perhaps a program by that", driver),
                         "end the program and ReAttach the device"});
    }
    if (facts.virtual_functions > 0) {
        found.push_back({ObstacleKind::virtual_functions,
                         fmt::format("{} virtual functions of it exist, and go with its driver",
                                     facts.virtual_functions),
                         "write 0 to its sriov_numvfs, or take one of these functions"});
    }
    std::vector<DeviceUse> uses = facts.uses;
    for (const SpaceFacts& space : facts.spaces) {
        uses.insert(uses.end(), space.uses.begin(), space.uses.end());
    }
    constexpr size_t told = 20; // each way tells them
    const size_t more = uses.size() - std::min(uses.size(), told);
    uses.resize(uses.size() - more);
    add_uses(found, uses);
    if (more > 0) {
        found.push_back({ObstacleKind::in_use,
                         fmt::format("the host has {} further uses for it", more),
                         "look at InUseBy of each namespace"});
    }
    return found;
}

/// What QEMU's own driver cannot do with the namespace.
void add_format_obstacles(std::vector<Obstacle>& obstacles, const SpaceFacts& space) {
    if (space.metadata_size.value_or(0) != 0) {
        obstacles.push_back({ObstacleKind::metadata_format,
                             fmt::format("namespace {} has {} bytes of metadata beside each block",
                                         space.id,
                                         *space.metadata_size),
                             "format it without metadata (nvme format erases it), or take it by "
                             "type='block'"});
    }
    if (space.lba_size > largest_block) {
        obstacles.push_back({ObstacleKind::lba_size,
                             fmt::format("namespace {} has blocks of {} bytes, and QEMU's driver "
                                         "takes at most {}",
                                         space.id,
                                         space.lba_size,
                                         largest_block),
                             "format it with smaller blocks (nvme format erases it), or take it by "
                             "type='block'"});
    }
}

std::string others(const ControllerFacts& facts, uint32_t id) {
    std::vector<uint32_t> ids;
    for (const SpaceFacts& space : facts.spaces) {
        if (space.id != id) {
            ids.push_back(space.id);
        }
    }
    return fmt::format("{}", fmt::join(ids, ", "));
}

/// The controller goes as a whole: the host keeps its others only where there are none.
std::vector<AttachWish> given_up_by_nvme(bool alone) {
    using enum AttachWish;
    return alone ? std::vector{lowest_latency, virtio_mem, keep_host_driver}
                 : std::vector{namespace_only, lowest_latency, virtio_mem, keep_host_driver};
}

Attachment by_nvme(const ControllerFacts& facts,
                   const SpaceFacts& space,
                   const AttachRequest& request,
                   std::vector<Obstacle> obstacles) {
    const bool alone = facts.spaces.size() < 2;
    Attachment way{.kind = AttachKind::nvme,
                   .device = space.name,
                   .xml = nvme_disk_xml(*facts.address, space.id, request.target),
                   .gives_up = given_up_by_nvme(alone),
                   .notes = {"QEMU's maintainers call its NVMe driver experimental; it has one "
                             "queue, and the guest's memory is locked"},
                   .obstacles = std::move(obstacles)};
    if (!alone) {
        way.notes.push_back(fmt::format("the host loses the controller's other namespaces: {}",
                                        others(facts, space.id)));
    }
    add_format_obstacles(way.obstacles, space);
    if (request.space.empty() && !alone) {
        way.obstacles.push_back(
            {ObstacleKind::several_namespaces,
             fmt::format("the guest gets namespace {} and none of {}: the kernel opens a VFIO "
                         "group once, and QEMU's driver opens it for each namespace",
                         space.id,
                         others(facts, space.id)),
             "take the whole controller by hostdev, or each namespace by type='block'"});
    }
    return way;
}

Attachment by_hostdev(const ControllerFacts& facts, std::vector<Obstacle> obstacles) {
    return {.kind = AttachKind::hostdev,
            .device = facts.function,
            .xml = pci_hostdev_xml(*facts.address),
            .gives_up = {AttachWish::namespace_only,
                         AttachWish::live_migration,
                         AttachWish::snapshots,
                         AttachWish::keep_host_driver},
            .notes = {fmt::format("the guest has the whole controller, its administration and its "
                                  "{} namespaces",
                                  facts.spaces.size())},
            .obstacles = std::move(obstacles)};
}

/// The host has a namespace only while its driver has the controller.
void add_absence(std::vector<Obstacle>& obstacles, const ControllerFacts& facts) {
    if (facts.address && facts.host_driver != "nvme") {
        obstacles.push_back({ObstacleKind::driver,
                             facts.host_driver.empty()
                                 ? fmt::format("no driver has '{}'", facts.function)
                                 : fmt::format("driver '{}' has '{}', and not the host's nvme",
                                               facts.host_driver,
                                               facts.function),
                             "ReAttach it"});
    }
}

Attachment
by_block(const ControllerFacts& facts, const SpaceFacts& space, const AttachRequest& request) {
    Attachment way{.kind = AttachKind::block,
                   .device = space.name,
                   .xml = block_disk_xml(space.block, request.target),
                   .gives_up = {AttachWish::lowest_latency},
                   .notes = {"each request goes through the host's kernel"},
                   .obstacles = {}};
    add_absence(way.obstacles, facts);
    add_uses(way.obstacles, space.uses);
    return way;
}

Attachment
by_io_uring(const ControllerFacts& facts, const SpaceFacts& space, const AttachRequest& request) {
    Attachment way{.kind = AttachKind::nvme_io_uring,
                   .device = space.name,
                   .xml = io_uring_disk_xml(space.generic, request.target),
                   .gives_up = {AttachWish::live_migration,
                                AttachWish::snapshots,
                                AttachWish::lowest_latency,
                                AttachWish::virtio_mem},
                   .notes = {"libvirt's XML has no words for it: the disk is QEMU's alone, so that "
                             "it takes part in no snapshot, migration or hot-plug, and QEMU's user "
                             "must be allowed to open " +
                             space.generic},
                   .obstacles = {}};
    add_absence(way.obstacles, facts);
    add_uses(way.obstacles, space.uses);
    return way;
}

/// Where the lowest latency is wished: the guest's own queues, then a driver without the kernel in
/// between, then one with fewer layers of it.
int slowness(AttachKind kind) {
    switch (kind) {
    case AttachKind::hostdev:
        return 0;
    case AttachKind::nvme:
        return 1;
    case AttachKind::nvme_io_uring:
        return 2;
    case AttachKind::block:
        break;
    }
    return 3;
}

} // namespace

std::vector<Attachment> plan_attachments(const ControllerFacts& facts,
                                         const AttachRequest& request) {
    std::vector<Attachment> ways;
    const auto obstacles = facts.address ? function_obstacles(facts) : std::vector<Obstacle>{};
    if (facts.address) {
        ways.push_back(by_hostdev(facts, obstacles));
    }
    if (facts.address && facts.spaces.empty()) {
        SpaceFacts first;
        first.name = facts.function;
        first.id = 1;
        ways.push_back(by_nvme(facts, first, request, obstacles));
        ways.back().notes.emplace_back("its namespaces are not seen now: this is the first one");
    }
    for (const SpaceFacts& space : facts.spaces) {
        if (!request.space.empty() && space.name != request.space) {
            continue;
        }
        if (facts.address) {
            ways.push_back(by_nvme(facts, space, request, obstacles));
        }
        ways.push_back(by_block(facts, space, request));
        if (request.io_uring && !space.generic.empty()) {
            ways.push_back(by_io_uring(facts, space, request));
        }
    }
    const auto wished = [&request](AttachWish wish) {
        return std::ranges::find(request.wishes, wish) != request.wishes.end();
    };
    const bool fast = wished(AttachWish::lowest_latency);
    const auto rank = [&](const Attachment& way) {
        return std::tuple(std::ranges::count_if(way.gives_up, wished),
                          !way.obstacles.empty(),
                          fast ? slowness(way.kind) : static_cast<int>(way.kind));
    };
    std::ranges::stable_sort(ways, {}, rank);
    return ways;
}

} // namespace vireo::nodedev
