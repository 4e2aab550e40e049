// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/pool_lifecycle.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "storage-driver/actions/pool_contents.hpp"

namespace vireo::storage::actions {

namespace {

constexpr uint32_t define_validate = 1;
constexpr uint32_t create_with_build = 1;
constexpr uint32_t create_build_overwrite = 2;
constexpr uint32_t create_build_no_overwrite = 4;
constexpr uint32_t pool_validate = 8;
constexpr uint32_t create_builds =
    create_with_build | create_build_overwrite | create_build_no_overwrite;
constexpr uint32_t build_no_overwrite = 4;
constexpr uint32_t build_overwrite = 8;

void require_inactive(const Pool& pool) {
    if (pool.active()) {
        throw Error(
            ErrorCode::operation_invalid, "storage pool '{}' is already active", pool.name());
    }
}

/// True for as long as the pool is being built.
class Building {
  public:
    explicit Building(Pool& pool) : pool_(pool) { pool_.building = true; }

    Building(const Building&) = delete;
    Building& operator=(const Building&) = delete;

    ~Building() { pool_.building = false; }

  private:
    Pool& pool_;
};

Task<void> build_place(Storage& storage, PoolPtr pool, PoolDef def) {
    const Building building(*pool);
    const Backend& backend = backend_for(def.type);
    std::function<void()> work = [&backend, def] { backend.build(def); };
    co_await off_loop(storage, std::move(work));
}

/// The caller has the pool's turn.
Task<void> start_now(Storage& storage, PoolPtr pool, PoolDef def, uint32_t flags) {
    if ((flags & create_builds) != 0) {
        co_await build_place(storage, pool, def);
    }
    const Backend& backend = backend_for(def.type);
    std::function<void()> work = [&backend, def] {
        backend.start(def);
        backend.clean_up(def);
    };
    co_await off_loop(storage, std::move(work));
    co_await load_contents(storage, pool, def);
    storage.store.save_running(*pool->running);
}

void check_build_flags(uint32_t flags) {
    check_flags("Build", flags, build_no_overwrite | build_overwrite);
    if (flags == (build_no_overwrite | build_overwrite)) {
        throw Error(ErrorCode::invalid_arg, "flags 4 and 8 of Build exclude each other");
    }
}

void check_create_flags(std::string_view member, uint32_t flags, uint32_t known) {
    check_flags(member, flags, known);
    constexpr uint32_t both = create_build_overwrite | create_build_no_overwrite;
    if ((flags & both) == both) {
        throw Error(ErrorCode::invalid_arg, "flags 2 and 4 of {} exclude each other", member);
    }
}

} // namespace

Task<PoolPtr> define_pool(Storage& storage, std::string xml, uint32_t flags) {
    check_flags("StoragePoolDefineXML", flags, define_validate);
    PoolDef def = parse_pool(xml, (flags & define_validate) != 0);
    const auto turn = co_await storage.definitions.turn();
    storage.registry.check_free(def);
    co_await storage.store.save_definition(def);
    PoolPtr pool = storage.registry.find_by_uuid(def.uuid);
    if (pool) {
        pool->definition = std::move(def);
    } else {
        pool = std::make_shared<Pool>(storage.loop);
        pool->definition = std::move(def);
        storage.registry.insert(pool);
    }
    storage.tell(*pool, PoolEvent::defined);
    co_return pool;
}

Task<PoolPtr> create_pool(Storage& storage, std::string xml, uint32_t flags) {
    check_create_flags("StoragePoolCreateXML", flags, create_builds | pool_validate);
    PoolDef def = parse_pool(xml, (flags & pool_validate) != 0);
    const auto turn = co_await storage.definitions.turn();
    storage.registry.check_free(def);
    PoolPtr pool = storage.registry.find_by_uuid(def.uuid);
    const bool known = pool != nullptr;
    if (!known) {
        // Nobody can see it before it runs, so nobody waits for its turn.
        pool = std::make_shared<Pool>(storage.loop);
    }
    const auto pool_turn = co_await pool->changes.turn();
    if (known) {
        require_inactive(*pool);
    }
    co_await start_now(storage, pool, def, flags);
    if (!known) {
        storage.registry.insert(pool);
    }
    storage.tell(*pool, PoolEvent::started);
    co_return pool;
}

Task<void> build_pool(Storage& storage, PoolPtr pool, uint32_t flags) {
    check_build_flags(flags);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_inactive(*pool);
    co_await build_place(storage, pool, *pool->definition);
    storage.tell(*pool, PoolEvent::created);
}

Task<void> start_pool(Storage& storage, PoolPtr pool, uint32_t flags) {
    check_create_flags("Create", flags, create_builds);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_inactive(*pool);
    co_await start_now(storage, pool, *pool->definition, flags);
    storage.tell(*pool, PoolEvent::started);
}

Task<void> stop_pool(Storage& storage, PoolPtr pool) {
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_active(*pool);
    storage.store.remove_running(pool->name());
    if (!pool->persistent()) {
        storage.registry.remove(*pool);
        storage.tell(*pool, PoolEvent::stopped);
        co_return;
    }
    pool->volumes.clear();
    pool->running.reset();
    storage.tell(*pool, PoolEvent::stopped);
}

Task<void> delete_pool(Storage& storage, PoolPtr pool, uint32_t flags) {
    constexpr uint32_t zeroed = 1;
    check_flags("Delete", flags, zeroed);
    if (flags == zeroed) {
        throw Error(ErrorCode::operation_unsupported,
                    "a pool of type 'dir' cannot be overwritten with zeros when it is deleted");
    }
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    if (pool->active()) {
        throw Error(
            ErrorCode::operation_invalid, "storage pool '{}' is still active", pool->name());
    }
    const PoolDef def = *pool->definition;
    const Backend& backend = backend_for(def.type);
    std::function<void()> work = [&backend, def] { backend.remove(def); };
    co_await off_loop(storage, std::move(work));
    storage.tell(*pool, PoolEvent::deleted);
}

Task<void> undefine_pool(Storage& storage, PoolPtr pool) {
    const auto definitions_turn = co_await storage.definitions.turn();
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    if (pool->active()) {
        throw Error(
            ErrorCode::operation_invalid, "storage pool '{}' is still active", pool->name());
    }
    co_await storage.store.remove_definition(pool->name());
    storage.registry.remove(*pool);
    storage.tell(*pool, PoolEvent::undefined);
}

Task<void> refresh_pool(Storage& storage, PoolPtr pool, uint32_t flags) {
    check_flags("Refresh", flags, 0);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_active(*pool);
    co_await load_contents(storage, pool, *pool->running);
    storage.tell_refreshed(*pool);
}

Task<void> set_autostart(Storage& storage, PoolPtr pool, bool autostart) {
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    if (!pool->persistent()) {
        throw Error(ErrorCode::invalid_arg,
                    "storage pool '{}' has no stored definition, it cannot start with the host",
                    pool->name());
    }
    if (pool->autostart != autostart) {
        co_await storage.store.save_autostart(pool->name(), autostart);
        pool->autostart = autostart;
    }
}

Task<void> resume_pool(Storage& storage, PoolPtr pool) {
    const auto turn = co_await pool->changes.turn();
    std::string failure;
    try {
        const PoolDef def = *pool->running;
        co_await start_now(storage, pool, def, 0);
    } catch (const Error& error) {
        failure = error.what();
    }
    if (failure.empty()) {
        co_return;
    }
    log::warning("pool '{}' has stopped: {}", pool->name(), failure);
    storage.store.remove_running(pool->name());
    storage.tell(*pool, PoolEvent::stopped);
    if (pool->persistent()) {
        pool->running.reset();
    } else {
        storage.registry.remove(*pool);
    }
}

} // namespace vireo::storage::actions
