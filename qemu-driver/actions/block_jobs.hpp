// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/bus/types.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <tuple>

/// Jobs of QEMU on the images of a running guest's disks. `disk`: a disk's target or the source of
/// its image. All throw operation_invalid where the guest is not running, invalid_arg where it has
/// no such disk or image and for flags that are not known.
namespace vireo::qemu::actions {

/// Writes the images from `top` (empty: the one that the guest sees) down to, and without, `base`
/// (empty: the last of the chain) into `base`. A commit of what the guest sees needs the flag
/// ACTIVE (4), is ready when both are alike, and ends by the pivot. Returns when the job runs.
/// `flags`: virDomainBlockCommitFlags; `bandwidth` in MiB/s, with 16 in bytes/s; 0: no limit.
Task<void> commit_disk(Driver& driver,
                       DomainPtr domain,
                       std::string disk,
                       std::string base,
                       std::string top,
                       std::uint64_t bandwidth,
                       std::uint32_t flags);

/// Mirrors the disk to the one that `xml` describes, which is made where it is a file and not said
/// to exist (flag 2). Ready when both are alike; ends by the pivot or, as it was then, without.
/// `params`, `flags`: as in the contract.
Task<void> copy_disk(Driver& driver,
                     DomainPtr domain,
                     std::string disk,
                     std::string xml,
                     bus::Dict params,
                     std::uint32_t flags);

/// Ends the job on the disk, and with PIVOT (2) goes on on what it was copied to. Returns when that
/// is in the live document, with ASYNC (1) at once. Throws resource_busy where a pivot is not
/// ready.
Task<void> abort_block_job(Driver& driver, DomainPtr domain, std::string disk, std::uint32_t flags);

/// virDomainBlockJobInfo: type, bandwidth (MiB/s, with flag 1 bytes/s), position, end. Asks QEMU.
using BlockJobInfo = std::tuple<std::int32_t, std::uint64_t, std::uint64_t, std::uint64_t>;
Task<BlockJobInfo>
block_job_info(Driver& driver, DomainPtr domain, std::string disk, std::uint32_t flags);

Task<void> set_block_job_speed(Driver& driver,
                               DomainPtr domain,
                               std::string disk,
                               std::uint64_t bandwidth,
                               std::uint32_t flags);

/// The job on the disk with this target; null where there is none.
const BlockJob* job_on(const Guest& guest, const std::string& target);

/// QEMU's event: a job has another state.
void take_job_status(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

/// Asks QEMU how the jobs stand that were under way when the last daemon ended, and finishes what
/// has ended since.
Task<void> refresh_block_jobs(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest);

} // namespace vireo::qemu::actions
