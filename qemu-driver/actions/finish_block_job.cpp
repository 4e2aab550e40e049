// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/finish_block_job.hpp"

#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/block_nodes.hpp"
#include "qemu-driver/actions/follow_definition.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/actions/save_status.hpp"
#include "qemu-driver/host_devices.hpp"

#include <algorithm>
#include <limits>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

void tell_of_job(Driver& driver,
                 const DomainPtr& domain,
                 const BlockJob& job,
                 BlockJobStatus status) {
    driver.events.device(*domain,
                         "BlockJob",
                         job.disk,
                         static_cast<std::int32_t>(job.type),
                         static_cast<std::int32_t>(status));
}

/// QEMU's last words on the job; empty where it went well.
Task<std::string> failure_of(Driver& driver, std::shared_ptr<Guest> guest, std::string id) {
    const json jobs = co_await monitor_command(driver, guest, "query-jobs");
    for (const json& job : jobs) {
        if (job.value("id", "") == id) {
            co_return job.value("error", "");
        }
    }
    co_return "QEMU does not know it any more";
}

Task<void> dismiss(Driver& driver, std::shared_ptr<Guest> guest, std::string id) {
    json arguments;
    arguments["id"] = id;
    try {
        co_await monitor_command(driver, guest, "job-dismiss", std::move(arguments));
    } catch (const qmp::CommandError& e) {
        log::debug("job '{}' is dismissed already: {}", id, e.what());
    }
}

/// A chain of images from `top` to above `until`, copied: what a job made superfluous.
struct Removal {
    DiskImage top;
    std::uint32_t until = 0;
};

/// Puts what the job did into `disk`; gives the images that are no longer in its chain.
Removal adopt_result(DiskDef& disk, const BlockJob& job, bool done) {
    Removal removal;
    if (job.type == BlockJobType::copy) {
        DiskImage destination = disk.mirror ? disk.mirror->image : DiskImage();
        disk.mirror.reset();
        removal.top = std::move(destination);
        if (done) {
            keep_secrets_with_image(disk);
            std::swap(disk.image, removal.top);
        }
        return removal;
    }
    disk.mirror.reset();
    DiskImage* base = image_numbered(disk, job.base);
    if (!done || base == nullptr) {
        return removal;
    }
    const DiskImage below = *base;
    removal.until = job.base;
    if (disk.image.index == job.top) {
        removal.top = std::move(disk.image);
        disk.image = below;
        return removal;
    }
    for (DiskImage* image = &disk.image; image->backing; image = &*image->backing) {
        if (image->backing->index == job.top) {
            removal.top = *image->backing;
            image->backing = below;
            break;
        }
    }
    return removal;
}

std::vector<HostFunction> functions_of_chain(const DiskDef& disk, const DiskImage& top) {
    DiskDef alone = disk;
    alone.image = top;
    alone.mirror.reset();
    return host_functions(alone);
}

Task<void> delete_images(Driver& driver, Removal removal) {
    for (const DiskImage* image = &removal.top; image != nullptr && image->index != removal.until;
         image = image->base()) {
        const auto* file = std::get_if<FileSource>(&image->source);
        if (file == nullptr || !file->path) {
            continue;
        }
        try {
            co_await delete_file(driver.ctx.loop, *file->path);
        } catch (const Error& e) {
            log::warning("image '{}' stays: {}", *file->path, e.what());
        }
    }
}

Task<void> finish(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string id) {
    require_running(*domain, guest);
    const auto found = std::ranges::find(guest->jobs, id, &BlockJob::id);
    if (found == guest->jobs.end()) {
        co_return; // two have noticed its end
    }
    const BlockJob job = *found;
    const std::string failure = co_await failure_of(driver, guest, id);
    require_running(*domain, guest);
    const bool needs_pivot = job.type != BlockJobType::commit;
    const bool done = failure.empty() && (!needs_pivot || job.pivot_wanted);
    DiskDef before = disk_named(*guest->live, job.disk);
    Removal removal;
    std::erase_if(guest->jobs, [&](const BlockJob& each) { return each.id == id; });
    change_live(driver, domain, [&](DomainDef& live) {
        removal = adopt_result(disk_named(live, job.disk), job, done);
    });
    co_await dismiss(driver, guest, id);
    if (removal.top.index) {
        co_await remove_nodes(driver, domain, guest, removal.top, removal.until);
        auto functions = functions_of_chain(before, removal.top);
        auto unused = no_longer_used(*guest->live, functions);
        co_await release_functions(driver, domain->uuid, std::move(unused));
    }
    BlockJobStatus status = BlockJobStatus::completed;
    if (!done) {
        status = job.abort_wanted || failure.empty() ? BlockJobStatus::cancelled
                                                     : BlockJobStatus::failed;
        log::info("domain '{}': block job '{}' has ended without effect{}{}",
                  domain->name,
                  id,
                  failure.empty() ? "" : ": ",
                  failure);
    } else {
        log::info("domain '{}': block job '{}' is done", domain->name, id);
        const DiskDef now = disk_named(*guest->live, job.disk);
        if (needs_pivot) {
            co_await follow_in_definition(driver, domain, before, now);
        }
        if (job.delete_images) {
            co_await delete_images(driver, removal);
        }
    }
    guest->jobs_changed.notify();
    tell_of_job(driver, domain, job, status);
}

} // namespace

std::uint64_t bytes_per_second(std::uint64_t bandwidth, bool is_bytes) {
    constexpr std::uint64_t mib = 1 << 20;
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (bandwidth > most / (is_bytes ? 1 : mib)) {
        throw Error(ErrorCode::overflow, "a bandwidth of {} is too large", bandwidth);
    }
    return is_bytes ? bandwidth : bandwidth * mib;
}

void mark_mirror(Driver& driver,
                 const DomainPtr& domain,
                 const std::string& target,
                 MirrorReady ready) {
    change_live(driver, domain, [&](DomainDef& live) {
        if (DiskDef& disk = disk_named(live, target); disk.mirror) {
            disk.mirror->ready = ready;
        }
    });
}

void job_is_ready(Driver& driver, const DomainPtr& domain, const BlockJob& job) {
    const DiskDef& disk = disk_named(*domain->guest->live, job.disk);
    if (!disk.mirror || disk.mirror->ready) {
        return;
    }
    mark_mirror(driver, domain, job.disk, MirrorReady::yes);
    domain->guest->jobs_changed.notify();
    tell_of_job(driver, domain, job, BlockJobStatus::ready);
}

Task<void>
finish_block_job(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string id) {
    const auto turn = co_await domain->changes.turn();
    co_await finish_block_job_in_turn(driver, domain, guest, id);
}

Task<void> finish_block_job_in_turn(Driver& driver,
                                    DomainPtr domain,
                                    std::shared_ptr<Guest> guest,
                                    std::string id) {
    try {
        co_await finish(driver, domain, guest, id);
    } catch (const Error& e) {
        log::error("domain '{}': the end of block job '{}': {}", domain->name, id, e.what());
    }
}

} // namespace vireo::qemu::actions
