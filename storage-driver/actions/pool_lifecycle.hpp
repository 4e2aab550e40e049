// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "storage-driver/storage.hpp"

#include <cstdint>
#include <memory>
#include <string>

/// Everything that changes a pool. Each waits for its turn, looks at the state again then, and has
/// saved what must last before it returns. The errors are libvirt's.
namespace vireo::storage::actions {

using PoolPtr = std::shared_ptr<Pool>;

/// StoragePoolDefineXML. flags: 1 refuses unknown elements.
Task<PoolPtr> define_pool(Storage& storage, std::string xml, uint32_t flags);

/// StoragePoolCreateXML: a pool that runs and is not stored; one that is stored is started. flags
/// as for start_pool, and 8 refuses unknown elements. (libvirt has VALIDATE = 8 from 8.10 on.)
Task<PoolPtr> create_pool(Storage& storage, std::string xml, uint32_t flags);

/// Build. flags: 0 new; 4 and 8 (no overwrite, overwrite) mean nothing for a folder.
Task<void> build_pool(Storage& storage, PoolPtr pool, uint32_t flags);

/// Create. flags: 1 build first, 2 and 4 the same with overwrite or not.
Task<void> start_pool(Storage& storage, PoolPtr pool, uint32_t flags);

/// Destroy: stops it. A transient pool is gone then.
Task<void> stop_pool(Storage& storage, PoolPtr pool);

/// Delete: removes its place. flags: 0; 1 (zeroed) is refused.
Task<void> delete_pool(Storage& storage, PoolPtr pool, uint32_t flags);

Task<void> undefine_pool(Storage& storage, PoolPtr pool);

/// Looks at the place again. flags: none.
Task<void> refresh_pool(Storage& storage, PoolPtr pool, uint32_t flags);

Task<void> set_autostart(Storage& storage, PoolPtr pool, bool autostart);

/// At the daemon's start: finds the volumes of a pool that ran before; one that cannot be looked at
/// any more is stopped.
Task<void> resume_pool(Storage& storage, PoolPtr pool);

} // namespace vireo::storage::actions
