// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/registry.hpp"

#include "libshared/error.hpp"

namespace vireo::storage {

void Registry::insert(PoolPtr pool) {
    const std::string uuid = pool->uuid();
    pools_.insert_or_assign(uuid, std::move(pool));
}

void Registry::remove(const Pool& pool) {
    pools_.erase(pool.uuid());
}

bool Registry::contains(const Pool& pool) const {
    const auto found = pools_.find(pool.uuid());
    return found != pools_.end() && found->second.get() == &pool;
}

Registry::PoolPtr Registry::find_by_name(std::string_view name) const {
    for (const auto& [uuid, pool] : pools_) {
        if (pool->name() == name) {
            return pool;
        }
    }
    return nullptr;
}

Registry::PoolPtr Registry::find_by_uuid(std::string_view uuid) const {
    const auto found = pools_.find(uuid);
    return found == pools_.end() ? nullptr : found->second;
}

Registry::PoolPtr Registry::get_by_name(std::string_view name) const {
    PoolPtr pool = find_by_name(name);
    if (!pool) {
        throw Error(ErrorCode::no_storage_pool, "no storage pool with matching name '{}'", name);
    }
    return pool;
}

Registry::PoolPtr Registry::get_by_uuid(std::string_view uuid) const {
    const auto normal = normal_uuid(uuid);
    if (!normal) {
        throw Error(ErrorCode::invalid_arg, "'{}' is not a UUID", uuid);
    }
    PoolPtr pool = find_by_uuid(*normal);
    if (!pool) {
        throw Error(ErrorCode::no_storage_pool, "no storage pool with matching uuid '{}'", *normal);
    }
    return pool;
}

Registry::FoundVolume Registry::get_volume(std::string_view by, std::string_view path) const {
    const std::string tidy = tidy_path(path);
    for (const auto& [uuid, pool] : pools_) {
        for (const auto& [name, volume] : pool->volumes) {
            if (volume.target.path == tidy) {
                return {pool, name};
            }
        }
    }
    throw Error(ErrorCode::no_storage_vol, "no storage vol with matching {} '{}'", by, path);
}

void Registry::check_free(const PoolDef& wanted) const {
    for (const auto& [uuid, pool] : pools_) {
        const bool same_uuid = uuid == wanted.uuid;
        if (same_uuid != (pool->name() == wanted.name)) {
            throw Error(ErrorCode::operation_failed,
                        "pool '{}' already exists with uuid {}",
                        pool->name(),
                        uuid);
        }
        if (!same_uuid && pool->any().target.path == wanted.target.path) {
            throw Error(ErrorCode::operation_failed,
                        "Storage source conflict with pool: '{}' is at '{}' already",
                        pool->name(),
                        wanted.target.path.value_or(""));
        }
    }
}

} // namespace vireo::storage
