// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "storage-driver/registry.hpp"
#include "storage-driver/store.hpp"

#include <functional>

namespace vireo::storage {

/// virStoragePoolEventLifecycleType's numbers.
enum class PoolEvent : int32_t {
    defined = 0,
    undefined = 1,
    started = 2,
    stopped = 3,
    created = 4,
    deleted = 5,
};

/// What the actions work on; it outlives them all.
struct Storage {
    Loop& loop;
    Registry registry;
    PoolStore store;
    /// Pools come into being and go one after the other, so that no two take the same name.
    ChangeQueue definitions;
    std::function<void(const Pool& pool, PoolEvent event)> tell;
    std::function<void(const Pool& pool)> tell_refreshed;
};

} // namespace vireo::storage
