// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/queue.hpp"
#include "storage-driver/model/pool_def.hpp"
#include "storage-driver/model/volume_def.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vireo::storage {

/// virStoragePoolState's numbers.
enum class PoolState : int32_t { inactive = 0, building = 1, running = 2 };

/// A storage pool: its stored definition, and how it is while it runs. At least one of both is
/// there as long as it is in the registry.
struct Pool {
    explicit Pool(Loop& loop) : changes(loop) {}

    const PoolDef& any() const { return running ? *running : *definition; }

    const std::string& name() const { return any().name; }

    const std::string& uuid() const { return any().uuid; }

    bool active() const noexcept { return running.has_value(); }

    bool persistent() const noexcept { return definition.has_value(); }

    PoolState state() const noexcept {
        if (building) {
            return PoolState::building;
        }
        return active() ? PoolState::running : PoolState::inactive;
    }

    std::optional<PoolDef> definition;
    std::optional<PoolDef> running;
    bool autostart = false;
    bool building = false;
    /// By name; none while it does not run.
    std::map<std::string, VolumeDef, std::less<>> volumes;
    /// One change at a time; reads do not wait for it.
    ChangeQueue changes;
};

} // namespace vireo::storage
