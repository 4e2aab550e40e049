// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/block_jobs.hpp"
#include "qemu-driver/actions/block_nodes.hpp"
#include "qemu-driver/actions/finish_block_job.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/run_plan.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/host_devices.hpp"
#include "qemu-driver/launch/image_chain.hpp"
#include "qemu-driver/model/snapshot_def.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

// virDomainBlockCommitFlags
constexpr std::uint32_t commit_shallow = 1;
constexpr std::uint32_t commit_delete = 2;
constexpr std::uint32_t commit_active = 4;
constexpr std::uint32_t commit_bytes = 16;
// virDomainBlockCopyFlags
constexpr std::uint32_t copy_reuse = 2;
constexpr std::uint32_t copy_transient = 4; // every job here ends with its guest
constexpr std::uint32_t copy_synchronous = 8;

void require_flags(std::uint32_t flags, std::uint32_t known, const char* what) {
    if ((flags & ~known) != 0) {
        throw Error(
            ErrorCode::argument_unsupported, "unsupported flags ({:#x}) {}", flags & ~known, what);
    }
}

void require_no_job(const Guest& guest, const DiskDef& disk) {
    if (const BlockJob* job = job_on(guest, disk.target.dev)) {
        throw Error(ErrorCode::operation_invalid,
                    "disk '{}' already in active block job '{}': end it first (BlockJobAbort)",
                    disk.target.dev,
                    job->id);
    }
}

/// The images of a commit, checked.
struct CommitPlaces {
    std::uint32_t top = 0;
    std::uint32_t base = 0;
    bool active = false;
};

[[noreturn]] void refuse_image(const DiskDef& disk, const std::string& name) {
    throw Error(ErrorCode::invalid_arg,
                "could not find image '{}' in the chain of disk '{}'",
                name,
                disk.target.dev);
}

CommitPlaces commit_places(const DiskDef& disk,
                           const std::string& base,
                           const std::string& top,
                           std::uint32_t flags) {
    const DiskImage* from = top.empty() ? &disk.image : image_named(disk, top);
    if (from == nullptr) {
        refuse_image(disk, top);
    }
    CommitPlaces places;
    places.active = from == &disk.image;
    if (places.active && (flags & commit_active) == 0) {
        throw Error(ErrorCode::invalid_arg,
                    "commit of '{}' active layer requires active flag (4)",
                    disk.target.dev);
    }
    if (!places.active && (flags & commit_active) != 0) {
        throw Error(ErrorCode::invalid_arg, "active commit requested but '{}' is not active", top);
    }
    if (from->base() == nullptr) {
        throw Error(ErrorCode::invalid_arg,
                    "top '{}' in chain for '{}' has no backing file",
                    header_name(*from),
                    disk.target.dev);
    }
    const DiskImage* to = from->base();
    if ((flags & commit_shallow) == 0 && base.empty()) {
        while (to->base() != nullptr) {
            to = to->base();
        }
    } else if (!base.empty()) {
        to = image_named(disk, base);
        bool below = false;
        for (const DiskImage* image = from->base(); image != nullptr; image = image->base()) {
            below |= image == to;
        }
        if (to == nullptr || !below) {
            refuse_image(disk, base);
        }
        if ((flags & commit_shallow) != 0 && to != from->base()) {
            throw Error(ErrorCode::invalid_arg,
                        "base '{}' is not immediately below '{}' in chain for '{}'",
                        base,
                        header_name(*from),
                        disk.target.dev);
        }
    }
    places.top = from->index.value_or(0);
    places.base = to->index.value_or(0);
    return places;
}

std::string format_node(const DiskDef& disk, std::uint32_t number) {
    return node_names(*image_numbered(disk, number)).format;
}

/// The job stands in the status before QEMU has it, and is taken out where QEMU refuses it.
Task<void> run_job(Driver& driver,
                   DomainPtr domain,
                   std::shared_ptr<Guest> guest,
                   BlockJob job,
                   std::optional<DiskMirror> mirror,
                   std::string command,
                   json arguments) {
    guest->jobs.push_back(job);
    change_live(driver, domain, [&](DomainDef& live) {
        disk_named(live, job.disk).mirror = std::move(mirror);
    });
    std::exception_ptr failure;
    try {
        co_await monitor_command(driver, guest, std::move(command), std::move(arguments));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && domain->guest == guest) {
        std::erase_if(guest->jobs, [&](const BlockJob& each) { return each.id == job.id; });
        change_live(
            driver, domain, [&](DomainDef& live) { disk_named(live, job.disk).mirror.reset(); });
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    log::info("domain '{}': block job '{}' runs", domain->name, job.id);
}

json job_arguments(const BlockJob& job, std::uint64_t speed) {
    json arguments;
    arguments["job-id"] = job.id;
    // Its end is noticed and its result read before QEMU forgets it.
    arguments["auto-dismiss"] = false;
    if (speed != 0) {
        arguments["speed"] = speed;
    }
    return arguments;
}

/// What BlockCopy's parameters say. Source: virDomainBlockCopy in libvirt's libvirt-domain.h.
void add_copy_parameters(const bus::Dict& params, json& arguments) {
    for (const auto& [name, value] : params) {
        const auto* large = value.get<std::uint64_t>();
        const auto* small = value.get<std::uint32_t>();
        if (name == "bandwidth" && large != nullptr) {
            arguments["speed"] = bytes_per_second(*large, true);
        } else if (name == "granularity" && small != nullptr) {
            arguments["granularity"] = *small;
        } else if (name == "buf-size" && large != nullptr) {
            arguments["buf-size"] = bytes_per_second(*large, true);
        } else {
            throw Error(ErrorCode::invalid_arg,
                        "parameter '{}' of BlockCopy is not known, or not of its type: there are "
                        "bandwidth (t), granularity (u), buf-size (t)",
                        name);
        }
    }
}

/// The destination, with its number; made where it is to be.
Task<DiskImage> prepare_destination(Driver& driver,
                                    std::shared_ptr<Guest> guest,
                                    DiskDef disk,
                                    std::string xml,
                                    std::uint32_t flags) {
    DiskImage image = parse_copy_destination(xml, disk.image.format.value_or(DiskFormat::raw));
    if (header_name(image).empty()) {
        throw Error(ErrorCode::argument_unsupported,
                    "a disk is copied to a file, a block device or an NVMe namespace");
    }
    for (const DiskImage* each = &disk.image; each != nullptr; each = each->base()) {
        if (header_name(*each) == header_name(image)) {
            throw Error(ErrorCode::invalid_arg,
                        "'{}' is an image of disk '{}' itself",
                        header_name(image),
                        disk.target.dev);
        }
    }
    image.backing = DiskImage();
    image.index = guest->last_node = last_node_number(*guest) + 1;
    const bool is_file = image.type() == DiskType::file;
    if (is_file && (flags & copy_reuse) == 0) {
        std::string top = node_names(disk.image).format;
        const std::uint64_t bytes = co_await disk_bytes(driver, guest, std::move(top));
        auto making = create_image(driver, image, bytes, std::string(), std::string());
        co_await std::move(making);
    }
    co_return std::move(image);
}

/// Takes what the destination needs of the host.
Task<std::vector<HostFunction>> lease_destination(Driver& driver,
                                                  DomainPtr domain,
                                                  std::shared_ptr<Guest> guest,
                                                  DiskDef disk,
                                                  DiskImage destination) {
    auto planned = std::make_shared<DomainDef>(*guest->live);
    DiskDef& copied = disk_named(*planned, disk.target.dev);
    copied.mirror = DiskMirror{.image = destination, .job = MirrorJob::copy, .ready = {}};
    DiskDef alone = disk;
    alone.image = destination;
    alone.mirror.reset();
    std::vector<HostFunction> functions = host_functions(alone);
    if (functions.empty()) {
        co_return functions;
    }
    const auto obstacles = co_await find_obstacles(driver, planned, functions, guest->id);
    if (!obstacles.empty()) {
        throw to_error(obstacles);
    }
    require_running(*domain, guest);
    raise_memlock(*planned, driver.host, guest->process->pid());
    const auto process = static_cast<std::uint32_t>(guest->process->pid());
    co_await acquire_functions(driver, domain->uuid, functions, process);
    co_return functions;
}

/// QEMU finds out only when the job runs. Source: QEMU, block/mirror.c, mirror_run().
Task<void> require_same_size(Driver& driver,
                             std::shared_ptr<Guest> guest,
                             DiskDef disk,
                             DiskImage destination) {
    std::string from = node_names(disk.image).format;
    std::string to = node_names(destination).format;
    const std::uint64_t bytes = co_await disk_bytes(driver, guest, std::move(from));
    const std::uint64_t room = co_await disk_bytes(driver, guest, std::move(to));
    if (bytes != room) {
        throw Error(ErrorCode::operation_failed,
                    "disk '{}' has {} bytes and '{}' has {}: QEMU copies a disk only to one of the "
                    "same size",
                    disk.target.dev,
                    bytes,
                    header_name(destination),
                    room);
    }
}

Task<void> mirror_to(Driver& driver,
                     DomainPtr domain,
                     std::shared_ptr<Guest> guest,
                     DiskDef disk,
                     DiskImage destination,
                     json arguments) {
    const auto capabilities = co_await capabilities_of(driver, guest);
    Plan nodes = image_plan(driver, *guest, *capabilities, disk, destination, false);
    require_hot_steps(nodes, disk);
    co_await run_plan(driver, guest, nodes);
    BlockJob job;
    job.disk = disk.target.dev;
    job.type = BlockJobType::copy;
    job.top = destination.index.value_or(0);
    job.id = fmt::format("copy-{}-{}", job.disk, job.top);
    json all = job_arguments(job, 0);
    all.update(arguments);
    all["device"] = node_names(disk.image).format;
    all["target"] = node_names(destination).format;
    all["sync"] = "full";
    DiskMirror mirror{.image = destination, .job = MirrorJob::copy, .ready = {}};
    std::exception_ptr failure;
    try {
        co_await require_same_size(driver, guest, disk, destination);
        auto running = run_job(driver,
                               domain,
                               guest,
                               job,
                               std::move(mirror),
                               std::string("blockdev-mirror"),
                               std::move(all));
        co_await std::move(running);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await undo_plan(driver, guest, std::move(nodes));
        std::rethrow_exception(failure);
    }
}

} // namespace

Task<void> commit_disk(Driver& driver,
                       DomainPtr domain,
                       std::string name,
                       std::string base,
                       std::string top,
                       std::uint64_t bandwidth,
                       std::uint32_t flags) {
    require_flags(flags,
                  commit_shallow | commit_delete | commit_active | commit_bytes,
                  "to commit a disk's images: there are SHALLOW (1), DELETE (2), ACTIVE (4), BYTES "
                  "(16)");
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const DiskDef disk = disk_named(*guest->live, name);
    require_no_job(*guest, disk);
    const CommitPlaces places = commit_places(disk, base, top, flags);
    BlockJob job;
    job.disk = disk.target.dev;
    job.type = places.active ? BlockJobType::active_commit : BlockJobType::commit;
    job.top = places.top;
    job.base = places.base;
    job.delete_images = (flags & commit_delete) != 0;
    job.id = fmt::format("commit-{}-{}", job.disk, job.top);
    json arguments = job_arguments(job, bytes_per_second(bandwidth, (flags & commit_bytes) != 0));
    arguments["device"] = node_names(disk.image).format;
    arguments["top-node"] = format_node(disk, places.top);
    arguments["base-node"] = format_node(disk, places.base);
    const DiskImage& lower = *image_numbered(disk, places.base);
    std::optional<DiskMirror> mirror;
    if (places.active) {
        mirror = DiskMirror{.image = lower, .job = MirrorJob::active_commit, .ready = {}};
    } else if (!header_name(lower).empty()) { // for the header of the image above
        arguments["backing-file"] = header_name(lower);
    }
    auto running = run_job(driver,
                           domain,
                           guest,
                           std::move(job),
                           std::move(mirror),
                           std::string("block-commit"),
                           std::move(arguments));
    co_await std::move(running);
}

Task<void> copy_disk(Driver& driver,
                     DomainPtr domain,
                     std::string name,
                     std::string xml,
                     bus::Dict params,
                     std::uint32_t flags) {
    require_flags(flags,
                  copy_reuse | copy_transient | copy_synchronous,
                  "to copy a disk: there are REUSE_EXT (2), TRANSIENT_JOB (4), SYNCHRONOUS_WRITES "
                  "(8)");
    json arguments = json::object();
    add_copy_parameters(params, arguments);
    if ((flags & copy_synchronous) != 0) {
        arguments["copy-mode"] = "write-blocking";
    }
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const DiskDef disk = disk_named(*guest->live, name);
    require_no_job(*guest, disk);
    auto preparing = prepare_destination(driver, guest, disk, std::move(xml), flags);
    DiskImage destination = co_await std::move(preparing);
    std::vector<HostFunction> leased;
    std::exception_ptr failure;
    try {
        leased = co_await lease_destination(driver, domain, guest, disk, destination);
        co_await mirror_to(driver, domain, guest, disk, destination, std::move(arguments));
    } catch (...) {
        failure = std::current_exception();
    }
    if (!failure) {
        co_return;
    }
    co_await release_functions(driver, domain->uuid, std::move(leased));
    const auto* file = std::get_if<FileSource>(&destination.source);
    if (file != nullptr && file->path && (flags & copy_reuse) == 0) { // made here
        co_await delete_file(driver.ctx.loop, *file->path);
    }
    std::rethrow_exception(failure);
}

} // namespace vireo::qemu::actions
