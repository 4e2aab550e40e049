// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/service.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "storage-driver/actions/pool_lifecycle.hpp"
#include "storage-driver/bus/connect_interface.hpp"
#include "storage-driver/bus/host_memory_interface.hpp"
#include "storage-driver/bus/memory_policy_interface.hpp"
#include "storage-driver/bus/paths.hpp"
#include "storage-driver/bus/pool_interface.hpp"
#include "storage-driver/bus/secret_interface.hpp"
#include "storage-driver/bus/volume_interface.hpp"

#include <array>
#include <chrono>
#include <cstdlib>

namespace vireo::storage {

using namespace std::chrono_literals;

namespace {

/// How long the first call after a start may wait for pools that ran before. One that takes longer
/// shows its volumes later.
constexpr auto patience = 2s;

/// The same for a qemud that runs already and is to tell of its guests.
constexpr auto guests_patience = 300ms;

std::string_view word(PoolEvent event) {
    constexpr std::array<std::string_view, 6> words{
        "defined", "undefined", "started", "stopped", "built", "deleted"};
    return words.at(static_cast<size_t>(event));
}

Task<void> start_with_host(Storage& storage, std::shared_ptr<Pool> pool) {
    try {
        co_await actions::start_pool(storage, pool, 0);
    } catch (const Error& error) {
        log::warning("pool '{}' does not start with the host: {}", pool->name(), error.what());
    }
}

} // namespace

StorageService::StorageService(Context& context)
    : context_(context),
      storage_{.loop = context.loop,
               .registry = {},
               .store = PoolStore(context.loop,
                                  context.options.directories.config + "/storage",
                                  context.options.directories.runtime + "/storage"),
               .definitions = ChangeQueue(context.loop),
               .tell = {},
               .tell_refreshed = {}},
      secrets_(context.loop,
               context.options.directories.config + "/secrets",
               [this](const Secret& secret, SecretEvent event) {
                   log::info("secret {} is {}",
                             secret.def.uuid,
                             event == SecretEvent::defined ? "defined" : "undefined");
                   context_.objects.emit(connect_path,
                                         connect_interface,
                                         "SecretEvent",
                                         secret_path(secret),
                                         static_cast<int32_t>(event),
                                         int32_t{0});
               }),
      follower_(context.loop,
                context.options.directories.runtime,
                [this] {
                    tell_of_promises();
                    governor_.guests_changed();
                }),
      governor_(context.loop,
                follower_,
                host_tree(),
                context.options.directories.state + "/storage",
                context.options.directories.runtime + "/storage",
                governor_events()) {
    storage_.tell = [this](const Pool& pool, PoolEvent event) {
        log::info("pool '{}' {}", pool.name(), word(event));
        context_.objects.emit(connect_path,
                              connect_interface,
                              "StoragePoolEvent",
                              pool_path(pool),
                              static_cast<int32_t>(event),
                              int32_t{0});
    };
    storage_.tell_refreshed = [this](const Pool& pool) {
        context_.objects.emit(pool_path(pool), pool_interface, "Refresh");
    };
    follower_.start();
    load();
    wait_for_guests();
    governor_.start();
    serve();
    serve_memory();
}

void StorageService::wait_for_guests() {
    const auto until = std::chrono::steady_clock::now() + guests_patience;
    while (follower_.listing() && std::chrono::steady_clock::now() < until) {
        context_.loop.run_once(guests_patience);
    }
    told_promises_ = sum_of_promises(follower_.guests());
    told_knowledge_ = follower_.knowledge();
}

void StorageService::tell_of_promises() {
    auto promises = sum_of_promises(follower_.guests());
    std::vector<const char*> changed;
    if (promises != told_promises_) {
        changed.push_back("Promises");
        told_promises_ = std::move(promises);
    }
    if (follower_.knowledge() != told_knowledge_) {
        changed.push_back("PromisesState");
        told_knowledge_ = follower_.knowledge();
    }
    if (!changed.empty()) {
        context_.objects.properties_changed(memory_path, host_memory_interface, changed);
    }
}

MemoryGovernor::Events StorageService::governor_events() {
    bus::ObjectTree& objects = context_.objects;
    return {.changed =
                [&objects](const std::vector<const char*>& properties) {
                    objects.properties_changed(memory_path, memory_policy_interface, properties);
                },
            .decided =
                [&objects](const MemoryDecision& decision) {
                    objects.emit(memory_path,
                                 memory_policy_interface,
                                 "Decided",
                                 decision.guest,
                                 decision.from,
                                 decision.to,
                                 decision.reason);
                },
            .marked =
                [&objects](const MemoryMark& mark) {
                    objects.emit(memory_path,
                                 memory_policy_interface,
                                 "Marked",
                                 mark.guest,
                                 mark.set,
                                 mark.reason);
                }};
}

void StorageService::serve_memory() {
    bus::ObjectTree& objects = context_.objects;
    objects.add_object(
        memory_path,
        host_memory_interface,
        host_memory_vtable,
        std::make_shared<HostMemoryInterface>(context_.tasks, Sysfs(host_tree()), follower_));
    objects.add_object(memory_path,
                       memory_policy_interface,
                       memory_policy_vtable,
                       std::make_shared<MemoryPolicyInterface>(context_.tasks, governor_));
    objects.add_object_manager("/org/vireo");
}

void StorageService::load() {
    for (auto& [uuid, stored] : storage_.store.load()) {
        auto pool = std::make_shared<Pool>(context_.loop);
        pool->definition = std::move(stored.definition);
        pool->running = std::move(stored.running);
        pool->autostart = stored.autostart;
        storage_.registry.insert(pool);
        if (pool->active()) {
            context_.tasks.spawn(actions::resume_pool(storage_, pool), "resume a pool");
        }
    }
    const auto until = std::chrono::steady_clock::now() + patience;
    while (context_.tasks.running() > 0 && std::chrono::steady_clock::now() < until) {
        context_.loop.run_once(100ms);
    }
}

void StorageService::started() {
    if (!storage_.store.first_since_boot()) {
        return;
    }
    for (const auto& [uuid, pool] : storage_.registry.pools()) {
        if (pool->autostart && !pool->active()) {
            context_.tasks.spawn(start_with_host(storage_, pool), "start a pool with the host");
        }
    }
}

void StorageService::serve() {
    bus::ObjectTree& objects = context_.objects;
    objects.add_object(
        connect_path,
        connect_interface,
        connect_vtable,
        std::make_shared<ConnectInterface>(context_.tasks, storage_, secrets_, host_tree()));
    objects.add_collection<PoolInterface>(
        pool_prefix,
        pool_interface,
        pool_vtable,
        [this](std::string_view path) {
            return std::make_shared<PoolInterface>(
                context_.tasks, storage_, pool_at(storage_.registry, path));
        },
        [this] {
            std::vector<std::string> paths;
            for (const auto& [uuid, pool] : storage_.registry.pools()) {
                paths.push_back(pool_path(*pool));
            }
            return paths;
        });
    objects.add_collection<SecretInterface>(
        secret_prefix,
        secret_interface,
        secret_vtable,
        [this](std::string_view path) {
            return std::make_shared<SecretInterface>(
                context_.tasks, secrets_, secret_at(secrets_, path));
        },
        [this] {
            std::vector<std::string> paths;
            for (const auto& [uuid, secret] : secrets_.by_uuid()) {
                paths.push_back(secret_path(*secret));
            }
            return paths;
        });
    objects.add_collection<VolumeInterface>(
        volume_prefix,
        volume_interface,
        volume_vtable,
        [this](std::string_view path) {
            return std::make_shared<VolumeInterface>(
                context_.tasks, storage_, volume_at(storage_.registry, path));
        },
        [this] {
            std::vector<std::string> paths;
            for (const auto& [uuid, pool] : storage_.registry.pools()) {
                for (const auto& [name, volume] : pool->volumes) {
                    paths.push_back(volume_path(volume));
                }
            }
            return paths;
        });
}

} // namespace vireo::storage
