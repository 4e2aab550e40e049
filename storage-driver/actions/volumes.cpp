// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/actions/volumes.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/async/process.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"
#include "storage-driver/actions/pool_contents.hpp"
#include "storage-driver/backend/image_command.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>

namespace vireo::storage::actions {

using namespace std::chrono_literals;

namespace {

constexpr uint32_t create_prealloc_metadata = 1;
constexpr uint32_t volume_validate = 4;
constexpr uint32_t resize_allocate = 1;
constexpr uint32_t resize_delta = 2;
constexpr uint32_t resize_shrink = 4;

/// Writing zeros into all of a large image takes its time on file systems that cannot do less.
constexpr auto image_limit = 6h;

/// A reserved place that is given up unless it became a volume. Removing it cannot be left to a
/// task: it happens when the daemon ends, too.
class Reservation {
  public:
    Reservation(const Backend& backend, std::string path)
        : backend_(backend), path_(std::move(path)) {}

    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    ~Reservation() {
        if (!published_) {
            backend_.abandon(path_);
        }
    }

    void published() noexcept { published_ = true; }

  private:
    const Backend& backend_;
    std::string path_;
    bool published_ = false;
};

Task<void> run_qemu_img(Storage& storage, std::vector<std::string> arguments, std::string what) {
    ProcessSpec spec;
    spec.program = "qemu-img";
    spec.arguments = std::move(arguments);
    const Output output = co_await run_command(storage.loop, std::move(spec), image_limit);
    if (!output.status.success()) {
        std::string said = output.errors.substr(0, 1000);
        while (!said.empty() && said.back() == '\n') {
            said.pop_back();
        }
        throw Error(ErrorCode::operation_failed,
                    "{}: qemu-img: {}",
                    what,
                    said.empty() ? output.status.text() : said);
    }
}

void check_new(const Pool& pool, const VolumeDef& volume) {
    if (pool.volumes.contains(volume.name)) {
        throw Error(ErrorCode::storage_vol_exists, "'{}'", volume.name);
    }
    if (volume.type != VolumeType::file) {
        throw Error(ErrorCode::config_unsupported,
                    "volume '{}': only volumes of type 'file' can be created in a pool of type "
                    "'dir', not '{}'",
                    volume.name,
                    xml::name_of(volume.type));
    }
    if (!volume.capacity && !volume.backing) {
        throw Error(ErrorCode::xml_error, "volume '{}': capacity is missing", volume.name);
    }
}

/// What Resize with these flags asks for; bytes.
uint64_t
resized_capacity(const std::string& name, uint64_t present, uint64_t given, uint32_t flags) {
    const bool shrink = (flags & resize_shrink) != 0;
    uint64_t wanted = given;
    if ((flags & resize_delta) != 0) {
        const uint64_t room = shrink ? present : UINT64_MAX - present;
        if (given > room) {
            throw Error(ErrorCode::invalid_arg,
                        "volume '{}' has {} bytes, it cannot be changed by {}",
                        name,
                        present,
                        given);
        }
        wanted = shrink ? present - given : present + given;
    }
    if (wanted < present && !shrink) {
        throw Error(ErrorCode::invalid_arg,
                    "Can't shrink capacity below current capacity unless shrink flag explicitly "
                    "specified: volume '{}' has {} bytes, {} are wanted",
                    name,
                    present,
                    wanted);
    }
    constexpr auto largest = static_cast<uint64_t>(INT64_MAX);
    if (wanted == 0 || wanted > largest) {
        throw Error(ErrorCode::invalid_arg, "a volume cannot have {} bytes", wanted);
    }
    return wanted;
}

/// Sizes of the pool change with those of its volumes.
Task<void> look_again(Storage& storage, std::shared_ptr<Pool> pool) {
    if (pool->active()) {
        co_await load_contents(storage, pool, *pool->running);
    }
}

} // namespace

const VolumeDef& known_volume(const Pool& pool, std::string_view name) {
    const auto found = pool.volumes.find(name);
    if (found == pool.volumes.end()) {
        throw Error(ErrorCode::no_storage_vol, "no storage vol with matching name '{}'", name);
    }
    return found->second;
}

Task<std::string>
create_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string xml, uint32_t flags) {
    check_flags("StorageVolCreateXML", flags, create_prealloc_metadata | volume_validate);
    const VolumeDef volume = parse_volume(xml, (flags & volume_validate) != 0);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_active(*pool);
    check_new(*pool, volume);
    const PoolDef def = *pool->running;
    const Backend& backend = backend_for(def.type);
    const bool preallocate = (flags & create_prealloc_metadata) != 0;
    create_image_arguments(volume, "", preallocate); // refuses before anything is there
    std::function<std::string()> reserve = [&backend, def, volume] {
        return backend.reserve(def, volume);
    };
    const std::string path = co_await Offload<std::string>(storage.loop, std::move(reserve));
    Reservation reservation(backend, path);
    std::vector<std::string> arguments = create_image_arguments(volume, path, preallocate);
    std::string what = fmt::format("create volume '{}'", volume.name);
    co_await run_qemu_img(storage, std::move(arguments), std::move(what));
    std::function<void()> publish = [&backend, def, volume, path] {
        backend.publish(def, volume, path);
    };
    co_await off_loop(storage, std::move(publish));
    reservation.published();
    log::info("pool '{}': volume '{}' created", pool->name(), volume.name);
    co_await look_again(storage, pool);
    co_return volume.name;
}

Task<void>
delete_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string name, uint32_t flags) {
    check_flags("Delete of a volume", flags, 0);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_active(*pool);
    const VolumeDef volume = known_volume(*pool, name);
    const PoolDef def = *pool->running;
    const Backend& backend = backend_for(def.type);
    std::function<void()> work = [&backend, def, volume] { backend.remove_volume(def, volume); };
    co_await off_loop(storage, std::move(work));
    log::info("pool '{}': volume '{}' deleted", pool->name(), name);
    co_await look_again(storage, pool);
}

Task<void> resize_volume(Storage& storage,
                         std::shared_ptr<Pool> pool,
                         std::string name,
                         uint64_t capacity,
                         uint32_t flags) {
    check_flags("Resize", flags, resize_allocate | resize_delta | resize_shrink);
    const auto turn = co_await pool->changes.turn();
    require_known(storage, *pool);
    require_active(*pool);
    const PoolDef def = *pool->running;
    const Backend& backend = backend_for(def.type);
    std::function<VolumeDef()> look = [&backend, def, name] { return backend.volume(def, name); };
    const VolumeDef volume = co_await Offload<VolumeDef>(storage.loop, std::move(look));
    if (volume.type != VolumeType::file) {
        throw Error(ErrorCode::operation_unsupported,
                    "volume '{}' is not a file, it cannot be resized",
                    name);
    }
    const uint64_t wanted = resized_capacity(name, volume.capacity.value_or(0), capacity, flags);
    const bool shrink = (flags & resize_shrink) != 0;
    const bool allocate = (flags & resize_allocate) != 0;
    std::vector<std::string> arguments = resize_image_arguments(
        volume.target.format.type, *volume.target.path, wanted, allocate, shrink);
    std::string what = fmt::format("resize volume '{}'", name);
    co_await run_qemu_img(storage, std::move(arguments), std::move(what));
    log::info("pool '{}': volume '{}' has {} bytes now", pool->name(), name, wanted);
    co_await look_again(storage, pool);
}

Task<VolumeDef> look_at_volume(Storage& storage, std::shared_ptr<Pool> pool, std::string name) {
    require_active(*pool);
    const PoolDef def = *pool->running;
    const Backend& backend = backend_for(def.type);
    std::function<VolumeDef()> look = [&backend, def, name] { return backend.volume(def, name); };
    VolumeDef volume = co_await Offload<VolumeDef>(storage.loop, std::move(look));
    const auto known = pool->volumes.find(name);
    if (known != pool->volumes.end()) {
        known->second = volume;
    }
    co_return volume;
}

} // namespace vireo::storage::actions
