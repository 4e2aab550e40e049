// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>

namespace vireo::qemu::actions {

/// Takes an external snapshot of the disks of a running guest: what it writes from then on goes to
/// new images, all at one moment, and what it has written stays as it is. Gives the snapshot's
/// name. `flags`: virDomainSnapshotCreateFlags, of which DISK_ONLY (16) must be and NO_METADATA
/// (4), REUSE_EXT (32), ATOMIC (128), VALIDATE (512) may be there. Nothing has changed where it
/// fails. Throws operation_invalid where the guest is not running, config_unsupported naming the
/// disk for what cannot be.
Task<std::string>
snapshot_domain(Driver& driver, DomainPtr domain, std::string xml, std::uint32_t flags);

/// Forgets what is known of a snapshot (METADATA_ONLY, 2). Throws operation_unsupported where its
/// images were to go: BlockCommit does that for a running guest.
Task<void> delete_snapshot(Driver& driver, DomainPtr domain, std::string name, std::uint32_t flags);

} // namespace vireo::qemu::actions
