// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/pool_contents.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/error.hpp"

namespace vireo::storage::actions {

Task<void> load_contents(Storage& storage, std::shared_ptr<Pool> pool, PoolDef def) {
    const Backend& backend = backend_for(def.type);
    std::function<PoolContents()> look = [&backend, def] { return backend.contents(def); };
    PoolContents found = co_await Offload<PoolContents>(storage.loop, std::move(look));
    def.capacity = found.capacity;
    def.allocation = found.allocation;
    def.available = found.available;
    def.target.permissions = found.permissions;
    pool->volumes.clear();
    for (VolumeDef& volume : found.volumes) {
        const std::string name = volume.name;
        pool->volumes.emplace(name, std::move(volume));
    }
    pool->running = std::move(def);
}

Task<void> off_loop(Storage& storage, std::function<void()> work) {
    co_await Offload<void>(storage.loop, std::move(work));
}

void require_active(const Pool& pool) {
    if (!pool.active()) {
        throw Error(ErrorCode::operation_invalid, "storage pool '{}' is not active", pool.name());
    }
}

void require_known(const Storage& storage, const Pool& pool) {
    if (!storage.registry.contains(pool)) {
        throw Error(ErrorCode::no_storage_pool,
                    "no storage pool with matching uuid '{}' ({})",
                    pool.uuid(),
                    pool.name());
    }
}

void check_flags(std::string_view member, uint32_t flags, uint32_t known) {
    if ((flags & ~known) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags (0x{:x}) in {}", flags & ~known, member);
    }
}

} // namespace vireo::storage::actions
