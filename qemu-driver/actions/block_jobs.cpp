// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/block_jobs.hpp"

#include "libshared/async/deadline.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/actions/block_nodes.hpp"
#include "qemu-driver/actions/finish_block_job.hpp"
#include "qemu-driver/actions/monitor_command.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::uint64_t mib = 1 << 20;
constexpr auto end_limit = 20s; // clients wait 25 s

// virDomainBlockJobAbortFlags
constexpr std::uint32_t async_flag = 1;
constexpr std::uint32_t pivot_flag = 2;

BlockJob* find_job(Guest& guest, const std::string& target) {
    for (BlockJob& job : guest.jobs) {
        if (job.disk == target) {
            return &job;
        }
    }
    return nullptr;
}

BlockJob& require_job(Guest& guest, const std::string& target) {
    BlockJob* job = find_job(guest, target);
    if (job == nullptr) {
        throw Error(ErrorCode::invalid_arg, "disk '{}' has no active block job", target);
    }
    return *job;
}

Task<void>
until_ended(DomainPtr domain, std::shared_ptr<Guest> guest, std::string target, std::string id) {
    const auto goes_on = [&] {
        const BlockJob* job = find_job(*guest, target);
        return job != nullptr && job->id == id;
    };
    bool waits = goes_on();
    while (waits) {
        require_running(*domain, guest);
        co_await guest->jobs_changed.next();
        waits = goes_on();
    }
}

json with_id(const std::string& id) {
    json arguments;
    arguments["id"] = id;
    return arguments;
}

/// Source: QEMU QMP reference, query-block-jobs.
Task<json> ask_job(Driver& driver, std::shared_ptr<Guest> guest, std::string id) {
    const json jobs = co_await monitor_command(driver, guest, "query-block-jobs");
    for (const json& job : jobs) {
        if (job.value("device", "") == id) {
            co_return job;
        }
    }
    co_return json();
}

} // namespace

const BlockJob* job_on(const Guest& guest, const std::string& target) {
    return find_job(const_cast<Guest&>(guest), target);
}

Task<void>
abort_block_job(Driver& driver, DomainPtr domain, std::string disk, std::uint32_t flags) {
    if ((flags & ~(async_flag | pivot_flag)) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}) to end a block job",
                    flags & ~(async_flag | pivot_flag));
    }
    const bool pivot = (flags & pivot_flag) != 0;
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    std::string target;
    std::string id;
    {
        const auto turn = co_await domain->changes.turn();
        require_running(*domain, guest);
        const DiskDef& known = disk_named(*guest->live, disk);
        target = known.target.dev;
        BlockJob& job = require_job(*guest, target);
        id = job.id;
        if (pivot && (!known.mirror || known.mirror->ready != MirrorReady::yes)) {
            throw Error(ErrorCode::resource_busy,
                        "block job '{}' on disk '{}' is not ready for the pivot yet: wait for the "
                        "BlockJob signal with status 3",
                        id,
                        target);
        }
        // A daemon that is killed now knows what was asked for.
        job.pivot_wanted = pivot;
        job.abort_wanted = !pivot;
        mark_mirror(driver, domain, target, pivot ? MirrorReady::pivot : MirrorReady::abort);
        std::exception_ptr failure;
        try {
            json arguments = with_id(id);
            std::string command = pivot ? "job-complete" : "job-cancel";
            co_await monitor_command(driver, guest, std::move(command), std::move(arguments));
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure) {
            if (BlockJob* kept = find_job(*guest, target); kept != nullptr && kept->id == id) {
                kept->pivot_wanted = false;
                kept->abort_wanted = false;
                mark_mirror(driver, domain, target, MirrorReady::yes);
            }
            std::rethrow_exception(failure);
        }
    }
    if ((flags & async_flag) != 0) {
        co_return;
    }
    auto ending = until_ended(domain, guest, target, id);
    co_await Deadline(driver.ctx.loop, std::move(ending), end_limit, "block job '" + id + "'");
}

Task<BlockJobInfo>
block_job_info(Driver& driver, DomainPtr domain, std::string disk, std::uint32_t flags) {
    constexpr std::uint32_t bytes_flag = 1; // VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES
    if ((flags & ~bytes_flag) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags ({:#x}): there is 1, bytes/s", flags);
    }
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const std::string target = disk_named(*guest->live, disk).target.dev;
    const BlockJob* job = job_on(*guest, target);
    if (job == nullptr) {
        co_return BlockJobInfo();
    }
    const BlockJobType type = job->type;
    const json info = co_await ask_job(driver, guest, job->id);
    std::uint64_t speed = 0;
    std::uint64_t at = 0;
    std::uint64_t end = 0;
    if (!info.is_null()) {
        speed = info.value("speed", std::uint64_t{0});
        at = info.value("offset", std::uint64_t{0});
        end = info.value("len", std::uint64_t{0});
        // Only a job that is ready is at its end.
        if (!info.value("ready", false) && at == end) {
            at > 0 ? --at : ++end;
        }
    }
    if ((flags & bytes_flag) == 0) {
        speed = (speed + mib - 1) / mib;
    }
    co_return BlockJobInfo(static_cast<std::int32_t>(type), speed, at, end);
}

Task<void> set_block_job_speed(Driver& driver,
                               DomainPtr domain,
                               std::string disk,
                               std::uint64_t bandwidth,
                               std::uint32_t flags) {
    constexpr std::uint32_t bytes_flag = 1; // VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES
    if ((flags & ~bytes_flag) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags ({:#x}): there is 1, bytes/s", flags);
    }
    const auto turn = co_await domain->changes.turn();
    const std::shared_ptr<Guest> guest = active_guest(*domain);
    const std::string target = disk_named(*guest->live, disk).target.dev;
    json arguments;
    arguments["device"] = require_job(*guest, target).id;
    arguments["speed"] = bytes_per_second(bandwidth, (flags & bytes_flag) != 0);
    co_await monitor_command(driver, guest, "block-job-set-speed", std::move(arguments));
}

void take_job_status(Driver& driver, const DomainPtr& domain, const json& data) {
    const std::string id = data.at("id").get<std::string>();
    const std::string status = data.at("status").get<std::string>();
    const std::shared_ptr<Guest> guest = domain->guest;
    const auto job = std::ranges::find(guest->jobs, id, &BlockJob::id);
    if (job == guest->jobs.end()) {
        return;
    }
    if (status == "ready") {
        job_is_ready(driver, domain, *job);
    } else if (status == "concluded") {
        driver.followers.spawn(finish_block_job(driver, domain, guest, id), "block job " + id);
    }
}

namespace {

/// The disk that QEMU's block device `qdev` is: by its id, or by a path through it.
bool is_device(const std::string& qdev, const std::string& alias) {
    return qdev == alias || qdev.find("/peripheral/" + alias + "/") != std::string::npos;
}

/// Overlays that QEMU has not put above a disk leave the document: the daemon was killed before.
Task<void> refresh_tops(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    const json blocks = co_await monitor_command(driver, guest, "query-block");
    require_running(*domain, guest);
    change_live(driver, domain, [&](DomainDef& live) {
        for (const json& block : blocks) {
            const std::string qdev = block.value("qdev", "");
            const std::string top = block.value("inserted", json::object()).value("node-name", "");
            for (DiskDef& disk : live.devices.disks) {
                if (!is_device(qdev, disk.info.alias.value_or("?"))) {
                    continue;
                }
                for (DiskImage* image = &disk.image; image->index && image->base() != nullptr;
                     image = &*image->backing) {
                    if (node_names(*image->base()).format == top) {
                        DiskImage found = *image->base();
                        disk.image = std::move(found);
                        break;
                    }
                }
            }
        }
    });
}

} // namespace

Task<void> refresh_block_jobs(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest) {
    if (guest->live->devices.disks.empty()) {
        co_return;
    }
    co_await refresh_tops(driver, domain, guest);
    const json jobs = co_await monitor_command(driver, guest, "query-jobs");
    const std::vector<BlockJob> known = guest->jobs;
    for (const BlockJob& job : known) {
        const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const json& each) {
            return each.value("id", "") == job.id;
        });
        const std::string status = found == jobs.end() ? "null" : found->value("status", "");
        if (status == "ready" && !job.pivot_wanted && !job.abort_wanted) {
            job_is_ready(driver, domain, job);
        } else if (status == "concluded" || status == "null") {
            co_await finish_block_job_in_turn(driver, domain, guest, job.id);
        } else if (job.pivot_wanted && status == "ready") { // asked for, not sent
            json arguments = with_id(job.id);
            co_await monitor_command(driver, guest, "job-complete", std::move(arguments));
        }
    }
    for (const json& each : jobs) {
        const std::string id = each.value("id", "");
        const bool ours = std::ranges::find(known, id, &BlockJob::id) != known.end();
        if (!ours && each.value("status", "") == "concluded") {
            json arguments = with_id(id);
            co_await monitor_command(driver, guest, "job-dismiss", std::move(arguments));
        }
    }
    co_await remove_orphans(driver, domain, guest);
}

} // namespace vireo::qemu::actions
