// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/pool.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vireo::storage {

/// All pools, by UUID.
class Registry {
  public:
    using PoolPtr = std::shared_ptr<Pool>;

    struct FoundVolume {
        PoolPtr pool;
        std::string name;
    };

    const std::map<std::string, PoolPtr, std::less<>>& pools() const noexcept { return pools_; }

    void insert(PoolPtr pool);
    void remove(const Pool& pool);
    bool contains(const Pool& pool) const;

    /// Null if there is none.
    PoolPtr find_by_name(std::string_view name) const;
    PoolPtr find_by_uuid(std::string_view uuid) const;
    /// These throw no_storage_pool; a UUID in any form, invalid_arg if it is none.
    PoolPtr get_by_name(std::string_view name) const;
    PoolPtr get_by_uuid(std::string_view uuid) const;

    /// The volume at `path` in a pool that runs. `by` is the word for the message: key, path.
    /// Throws no_storage_vol.
    FoundVolume get_volume(std::string_view by, std::string_view path) const;

    /// Refuses a pool whose name, UUID or place another one has; operation_failed.
    void check_free(const PoolDef& pool) const;

  private:
    std::map<std::string, PoolPtr, std::less<>> pools_;
};

} // namespace vireo::storage
