// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/snapshot_domain.hpp"

#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/block_jobs.hpp"
#include "qemu-driver/actions/block_nodes.hpp"
#include "qemu-driver/actions/follow_definition.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/domain_summary.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>
#include <ctime>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

// virDomainSnapshotCreateFlags
constexpr std::uint32_t no_metadata_flag = 4;
constexpr std::uint32_t disk_only_flag = 16;
constexpr std::uint32_t reuse_flag = 32;
constexpr std::uint32_t atomic_flag = 128;            // it is, always
constexpr std::uint32_t snapshot_validate_flag = 512; // documents are, always

constexpr std::size_t most_images = 200; // below one that is added; see image_chain.cpp

void require_flags(std::uint32_t flags) {
    constexpr std::uint32_t known =
        no_metadata_flag | disk_only_flag | reuse_flag | atomic_flag | snapshot_validate_flag;
    if ((flags & ~known) != 0 || (flags & disk_only_flag) == 0) {
        throw Error(ErrorCode::argument_unsupported,
                    "flags {:#x}: snapshots are of disks alone, flag DISK_ONLY (16), with "
                    "NO_METADATA (4), REUSE_EXT (32), ATOMIC (128), VALIDATE (512)",
                    flags);
    }
}

/// `web.qcow2` and snapshot `s1` make `web.s1`.
std::string overlay_path(const std::string& path, const std::string& name) {
    const auto slash = path.rfind('/');
    const auto dot = path.rfind('.');
    const bool has_suffix = dot != std::string::npos && dot > slash + 1;
    return fmt::format("{}.{}", path.substr(0, has_suffix ? dot : std::string::npos), name);
}

bool takes_part(const DiskDef& disk) {
    return !disk.image.is_empty() && !disk.readonly && disk.device == DiskDevice::disk &&
           disk.snapshot != SnapshotMode::no;
}

/// The overlay of a disk that the document leaves to the daemon.
DiskImage default_overlay(const DiskDef& disk, const SnapshotDisk& wish, const std::string& name) {
    const auto* file = std::get_if<FileSource>(&disk.image.source);
    if (file == nullptr || !file->path) {
        refuse(wish.where,
               "disk",
               "disk '{}' is of type '{}': say where its overlay is to be, <disk name='{}'><source "
               "file='…'/></disk>",
               disk.target.dev,
               name_of(disk.image.type()),
               disk.target.dev);
    }
    DiskImage image;
    image.source = FileSource{.path = overlay_path(*file->path, name), .fdgroup = {}};
    return image;
}

void check_overlay(const DiskDef& disk, const SnapshotDisk& wish) {
    const bool local = wish.image.type() == DiskType::file || wish.image.type() == DiskType::block;
    if (wish.snapshot != SnapshotMode::external || !local) {
        refuse(wish.where,
               "disk",
               "disk '{}': an overlay is in a file or a block device, with snapshot='external'",
               disk.target.dev);
    }
    if (wish.image.format != DiskFormat::qcow2 && wish.image.format != DiskFormat::qed) {
        refuse(wish.where,
               "disk",
               "disk '{}': an overlay has the format qcow2 or qed, not '{}'",
               disk.target.dev,
               name_of(*wish.image.format));
    }
    std::size_t images = 0;
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        ++images;
    }
    if (images >= most_images) {
        refuse(wish.where,
               "disk",
               "disk '{}' has a chain of {} images: commit some (BlockCommit) first",
               disk.target.dev,
               images);
    }
}

/// What the document leaves out: names, and each of the guest's disks exactly once.
void complete(SnapshotDef& snapshot, const DomainDef& live) {
    const auto now = static_cast<std::uint64_t>(std::time(nullptr));
    if (snapshot.name.empty()) {
        snapshot.name = std::to_string(now);
    }
    if (snapshot.name.find('/') != std::string::npos || snapshot.name.starts_with('.')) {
        throw Error(ErrorCode::xml_error,
                    "a snapshot's name holds no '/' and does not begin with '.': '{}'",
                    snapshot.name);
    }
    snapshot.creation_time = now;
    snapshot.state = "disk-snapshot";
    snapshot.memory = SnapshotMemory{SnapshotMode::no, std::nullopt};
    std::vector<SnapshotDisk> wishes;
    for (SnapshotDisk& wish : snapshot.disks) {
        wish.name = disk_named(live, wish.name).target.dev;
        const auto same = [&](const SnapshotDisk& other) { return other.name == wish.name; };
        if (std::ranges::any_of(wishes, same)) {
            refuse(wish.where, "disk", "disk '{}' is named twice", wish.name);
        }
        wishes.push_back(std::move(wish));
    }
    snapshot.disks.clear();
    for (const DiskDef& disk : live.devices.disks) {
        const auto same = [&](const SnapshotDisk& wish) { return wish.name == disk.target.dev; };
        const auto named = std::ranges::find_if(wishes, same);
        SnapshotDisk one;
        if (named != wishes.end()) {
            one = std::move(*named);
        }
        one.name = disk.target.dev;
        one.snapshot =
            one.snapshot.value_or(takes_part(disk) ? SnapshotMode::external : SnapshotMode::no);
        if (one.snapshot != SnapshotMode::no) {
            const std::optional<DiskFormat> format = one.image.format;
            if (one.image.is_empty()) {
                one.image = default_overlay(disk, one, snapshot.name);
            }
            one.image.format = format.value_or(DiskFormat::qcow2);
            check_overlay(disk, one);
        }
        snapshot.disks.push_back(std::move(one));
    }
    const auto taken = [](const SnapshotDisk& one) { return one.snapshot != SnapshotMode::no; };
    if (std::ranges::none_of(snapshot.disks, taken)) {
        throw Error(ErrorCode::config_unsupported,
                    "nothing selected for snapshot: no disk of the guest takes part");
    }
}

/// Overlays on their way in; files that were made and nodes go where they are not kept.
struct Overlays {
    std::vector<DiskImage> made;
    Plan nodes;
    json actions = json::array();
};

Task<void> make_overlay(Driver& driver,
                        std::shared_ptr<Guest> guest,
                        SnapshotDisk& wish,
                        bool reuse,
                        Overlays& overlays) {
    const DiskDef disk = disk_named(*guest->live, wish.name);
    wish.image.index = guest->last_node = last_node_number(*guest) + 1;
    std::string node = node_names(disk.image).format;
    if (!reuse && wish.image.type() == DiskType::file) {
        const std::uint64_t bytes = co_await disk_bytes(driver, guest, node);
        std::string below = header_name(disk.image);
        std::string format(name_of(disk.image.format.value_or(DiskFormat::raw)));
        auto making = create_image(driver, wish.image, bytes, std::move(below), std::move(format));
        co_await std::move(making);
        overlays.made.push_back(wish.image);
    }
    const auto capabilities = co_await capabilities_of(driver, guest);
    Plan plan = image_plan(driver, *guest, *capabilities, disk, wish.image, false);
    require_hot_steps(plan, disk);
    co_await run_plan(driver, guest, plan);
    json action;
    action["type"] = "blockdev-snapshot";
    action["data"]["node"] = std::move(node);
    action["data"]["overlay"] = node_names(wish.image).format;
    overlays.actions.push_back(std::move(action));
    append(overlays.nodes, std::move(plan));
}

std::shared_ptr<const DomainDef> with_overlays(const DomainDef& def, const SnapshotDef& snapshot) {
    auto changed = std::make_shared<DomainDef>(def);
    for (const SnapshotDisk& wish : snapshot.disks) {
        if (wish.snapshot == SnapshotMode::no) {
            continue;
        }
        DiskDef& disk = disk_named(*changed, wish.name);
        keep_secrets_with_image(disk);
        DiskImage overlay = wish.image;
        overlay.backing = std::move(disk.image);
        disk.image = std::move(overlay);
    }
    return changed;
}

Task<void> make_overlays(Driver& driver,
                         DomainPtr domain,
                         std::shared_ptr<Guest> guest,
                         SnapshotDef& snapshot,
                         bool reuse,
                         Overlays& overlays) {
    for (SnapshotDisk& wish : snapshot.disks) {
        if (wish.snapshot != SnapshotMode::no) {
            co_await make_overlay(driver, guest, wish, reuse, overlays);
        }
    }
    // A daemon that is killed now asks QEMU whether the guest is on the overlays.
    const Intention intention(driver, domain, with_overlays(*guest->live, snapshot));
    json transaction;
    transaction["actions"] = overlays.actions;
    co_await monitor_command(driver, guest, "transaction", std::move(transaction));
}

Task<void> take_back(Driver& driver, std::shared_ptr<Guest> guest, Overlays overlays) {
    co_await undo_plan(driver, guest, std::move(overlays.nodes));
    for (const DiskImage& image : overlays.made) {
        co_await delete_file(driver.ctx.loop, header_name(image));
    }
}

void require_no_jobs(const Guest& guest, const SnapshotDef& snapshot) {
    for (const SnapshotDisk& wish : snapshot.disks) {
        const BlockJob* job = job_on(guest, wish.name);
        if (job != nullptr && wish.snapshot != SnapshotMode::no) {
            throw Error(ErrorCode::operation_invalid,
                        "disk '{}' already in active block job '{}': end it first (BlockJobAbort)",
                        wish.name,
                        job->id);
        }
    }
}

} // namespace

Task<std::string>
snapshot_domain(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags) {
    require_flags(flags);
    SnapshotDef snapshot = parse_snapshot(xml);
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const bool keeps_metadata = (flags & no_metadata_flag) == 0;
    const std::shared_ptr<const DomainDef> before = guest->live;
    complete(snapshot, *before);
    require_no_jobs(*guest, snapshot);
    if (keeps_metadata && driver.snapshots.of(domain->uuid).contains(snapshot.name)) {
        throw Error(
            ErrorCode::operation_invalid, "domain snapshot {} already exists", snapshot.name);
    }
    Overlays overlays;
    std::exception_ptr failure;
    try {
        const bool reuse = (flags & reuse_flag) != 0;
        co_await make_overlays(driver, domain, guest, snapshot, reuse, overlays);
        require_running(*domain, guest);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await take_back(driver, guest, std::move(overlays));
        std::rethrow_exception(failure);
    }
    guest->live = with_overlays(*guest->live, snapshot);
    save_status(driver, *domain);
    log::info("domain '{}': snapshot '{}' is taken", domain->name, snapshot.name);
    for (const SnapshotDisk& wish : snapshot.disks) {
        if (wish.snapshot != SnapshotMode::no) {
            DiskDef former = disk_named(*before, wish.name);
            DiskDef now = disk_named(*guest->live, wish.name);
            co_await follow_in_definition(driver, domain, std::move(former), std::move(now));
        }
    }
    const std::string name = snapshot.name;
    if (keeps_metadata) {
        const auto parent = driver.snapshots.current(domain->uuid);
        snapshot.parent = parent ? parent->name : std::string();
        snapshot.active = 1;
        for (SnapshotDisk& wish : snapshot.disks) {
            wish.image.index.reset();
        }
        snapshot.domain = DomainDef(*before);
        co_await driver.snapshots.save(domain->uuid, std::move(snapshot));
    }
    co_return name;
}

Task<void>
delete_snapshot(Driver& driver, DomainPtr domain, std::string name, std::uint32_t flags) {
    constexpr std::uint32_t metadata_only = 2; // VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY
    if (flags != metadata_only) {
        throw Error(
            ErrorCode::operation_unsupported,
            "flags {:#x}: of an external snapshot only what is known of it is deleted, flag "
            "METADATA_ONLY (2); BlockCommit takes its images together",
            flags);
    }
    const auto turn = co_await domain->changes.turn();
    driver.registry.require(*domain);
    driver.snapshots.find(domain->uuid, name);
    co_await driver.snapshots.remove(domain->uuid, name);
}

} // namespace vireo::qemu::actions
