// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/list_pools.hpp"

#include "storage-driver/actions/pool_contents.hpp"

namespace vireo::storage::actions {

namespace {

constexpr uint32_t inactive = 1U << 0;
constexpr uint32_t active = 1U << 1;
constexpr uint32_t persistent = 1U << 2;
constexpr uint32_t transient = 1U << 3;
constexpr uint32_t autostart = 1U << 4;
constexpr uint32_t no_autostart = 1U << 5;
constexpr uint32_t first_type = 6;
constexpr uint32_t types = ((1U << xml::EnumNames<PoolType>::names.size()) - 1U) << first_type;

/// What a pool is, as the flag that asks for it, of one group each.
bool matches(uint32_t flags, uint32_t group, uint32_t flag) {
    return (flags & group) == 0 || (flags & flag) != 0;
}

bool listed(const Pool& pool, uint32_t flags) {
    const auto type = static_cast<uint32_t>(pool.any().type);
    return matches(flags, inactive | active, pool.active() ? active : inactive) &&
           matches(flags, persistent | transient, pool.persistent() ? persistent : transient) &&
           matches(flags, autostart | no_autostart, pool.autostart ? autostart : no_autostart) &&
           matches(flags, types, 1U << (first_type + type));
}

} // namespace

std::vector<std::shared_ptr<Pool>> list_pools(const Registry& registry, uint32_t flags) {
    check_flags("ListStoragePools",
                flags,
                inactive | active | persistent | transient | autostart | no_autostart | types);
    std::vector<std::shared_ptr<Pool>> found;
    for (const auto& [uuid, pool] : registry.pools()) {
        if (listed(*pool, flags)) {
            found.push_back(pool);
        }
    }
    return found;
}

} // namespace vireo::storage::actions
