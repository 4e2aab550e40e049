// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "storage-driver/backend/backend.hpp"
#include "storage-driver/storage.hpp"

#include <functional>
#include <memory>
#include <string_view>

/// What several actions share: backends off the loop, and checks.
namespace vireo::storage::actions {

/// Looks at the place of `def` and puts what is there into `pool`, which runs from then on. The
/// caller has the pool's turn.
Task<void> load_contents(Storage& storage, std::shared_ptr<Pool> pool, PoolDef def);

/// Runs a backend's function off the loop.
Task<void> off_loop(Storage& storage, std::function<void()> work);

/// Throws operation_invalid unless the pool runs.
void require_active(const Pool& pool);

/// Throws no_storage_pool where the pool went while its turn was waited for.
void require_known(const Storage& storage, const Pool& pool);

/// Throws invalid_arg for bits that `member` does not know.
void check_flags(std::string_view member, uint32_t flags, uint32_t known);

} // namespace vireo::storage::actions
