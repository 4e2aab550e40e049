// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/model/pool_def.hpp"
#include "storage-driver/model/volume_def.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace vireo::storage {

/// How a pool is now.
struct PoolContents {
    uint64_t capacity{};
    uint64_t allocation{};
    uint64_t available{};
    Permissions permissions;
    std::vector<VolumeDef> volumes;
};

/// What a kind of pool does with its storage. Every function may block for long (a network file
/// system that does not answer): actions call them off the loop.
class Backend {
  public:
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;

    /// Makes the place; what is there already is left alone.
    virtual void build(const PoolDef& pool) const = 0;
    /// Throws where the place is not there or not usable.
    virtual void start(const PoolDef& pool) const = 0;
    virtual PoolContents contents(const PoolDef& pool) const = 0;
    /// Removes the place, which must be empty.
    virtual void remove(const PoolDef& pool) const = 0;

    /// One volume as it is now. Throws no_storage_vol where it is gone.
    virtual VolumeDef volume(const PoolDef& pool, const std::string& name) const = 0;
    virtual void remove_volume(const PoolDef& pool, const VolumeDef& volume) const = 0;

    /// Creating a volume has three steps, so that nobody sees half of one: a place of its own is
    /// reserved, filled by others, and takes the volume's name.
    virtual std::string reserve(const PoolDef& pool, const VolumeDef& volume) const = 0;
    virtual void
    publish(const PoolDef& pool, const VolumeDef& volume, const std::string& reserved) const = 0;
    /// Instead of publish.
    virtual void abandon(const std::string& reserved) const noexcept = 0;
    /// Removes what daemons that were killed had reserved.
    virtual void clean_up(const PoolDef& pool) const = 0;
};

/// The backend for a kind of pool that parse_pool lets through.
const Backend& backend_for(PoolType type);

} // namespace vireo::storage
