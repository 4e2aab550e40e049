// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <memory>
#include <string>

/// What becomes of a guest's document when a block job goes on or ends.
namespace vireo::qemu::actions {

/// QEMU's unit. Throws overflow.
std::uint64_t bytes_per_second(std::uint64_t bandwidth, bool is_bytes);

/// Says in the live document how the mirror stands, where the disk has one.
void mark_mirror(Driver& driver,
                 const DomainPtr& domain,
                 const std::string& target,
                 MirrorReady ready);

/// Both sides are alike: the pivot may come. Told of once.
void job_is_ready(Driver& driver, const DomainPtr& domain, const BlockJob& job);

/// QEMU is done with the job: the chain of its disk is in the live document and, after a pivot, in
/// the definition; nodes and leases that it needs no more go; the signal tells. Waits for the
/// domain's turn, or is in it. Throw nothing.
Task<void>
finish_block_job(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string id);
Task<void> finish_block_job_in_turn(Driver& driver,
                                    DomainPtr domain,
                                    std::shared_ptr<Guest> guest,
                                    std::string id);

} // namespace vireo::qemu::actions
