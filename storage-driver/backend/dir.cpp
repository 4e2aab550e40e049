// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/backend/dir.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "libshared/log.hpp"
#include "storage-driver/backend/volume_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace vireo::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view reserved_prefix = ".vireo-";
constexpr std::string_view reserved_suffix = ".partial";

bool is_reserved(std::string_view name) {
    return name.starts_with(reserved_prefix) && name.ends_with(reserved_suffix);
}

std::string path_in(const PoolDef& pool, std::string_view name) {
    return fmt::format("{}/{}", *pool.target.path, name);
}

[[noreturn]] void fail(std::string_view what, const std::string& path, int error) {
    throw Error(
        ErrorCode::system_error, "{} '{}': {}", what, path, std::generic_category().message(error));
}

void set_permissions(int fd, const std::string& path, const Permissions& wanted) {
    const auto id = [](int64_t value) {
        return value < 0 ? static_cast<uint32_t>(-1) : static_cast<uint32_t>(value);
    };
    // The owner first: chown(2) takes the set-user-ID bits away.
    if ((wanted.owner >= 0 || wanted.group >= 0) &&
        ::fchown(fd, id(wanted.owner), id(wanted.group)) != 0) {
        fail("give an owner to", path, errno);
    }
    if (wanted.mode >= 0 && ::fchmod(fd, static_cast<mode_t>(wanted.mode)) != 0) {
        fail("change the mode of", path, errno);
    }
}

/// A raw volume may want a part of its space at once; all or nothing of it is qemu-img's work.
void allocate(int fd, const std::string& path, const VolumeDef& volume) {
    const uint64_t wanted = volume.allocation.value_or(0);
    if (volume.target.format.type != VolumeFormat::raw || wanted == 0 ||
        wanted >= volume.capacity.value_or(0)) {
        return;
    }
    if (::fallocate(fd, 0, 0, static_cast<off_t>(wanted)) != 0 && errno != EOPNOTSUPP) {
        fail("allocate space for", path, errno);
    }
}

/// Moves without replacing what has that name.
void take_name(const std::string& reserved, const std::string& path) {
    int result = ::renameat2(AT_FDCWD, reserved.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
    if (result != 0 && errno == EINVAL) { // a file system that cannot do it in one step
        result = ::link(reserved.c_str(), path.c_str());
        if (result == 0) {
            ::unlink(reserved.c_str());
        }
    }
    if (result != 0 && errno == EEXIST) {
        throw Error(ErrorCode::storage_vol_exists, "'{}'", path);
    }
    if (result != 0) {
        fail("create volume", path, errno);
    }
}

Fd open_folder(const std::string& path) {
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        fail("open folder", path, errno);
    }
    return fd;
}

/// D-Bus and XML cannot carry any other name.
bool can_be_shown(std::string_view name) {
    size_t following = 0;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (following > 0) {
            if ((byte & 0xc0) != 0x80) {
                return false;
            }
            --following;
        } else if (byte >= 0x80) {
            following = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
            if (byte < 0xc2 || byte > 0xf4) {
                return false;
            }
        } else if (byte < 0x20 || byte == 0x7f) {
            return false;
        }
    }
    return following == 0;
}

Permissions permissions_of(int fd, const std::string& path) {
    struct stat status {};

    if (::fstat(fd, &status) != 0) {
        fail("look at", path, errno);
    }
    Permissions permissions;
    permissions.mode = status.st_mode & 07777;
    permissions.owner = status.st_uid;
    permissions.group = status.st_gid;
    return permissions;
}

template <class Each>
void each_name(const std::string& folder, Each each) {
    std::error_code failed;
    fs::directory_iterator entry(folder, failed);
    for (const fs::directory_iterator end; !failed && entry != end; entry.increment(failed)) {
        each(entry->path().filename().string());
    }
    if (failed) {
        fail("read folder", folder, failed.value());
    }
}

} // namespace

void DirBackend::build(const PoolDef& pool) const {
    const std::string& path = *pool.target.path;
    std::error_code failed;
    // libvirt's mode for a folder that has none in the document.
    constexpr fs::perms default_mode{0711};
    const bool made = fs::create_directories(path, failed);
    if (failed) {
        fail("make folder", path, failed.value());
    }
    if (made) {
        fs::permissions(path, default_mode, failed);
    }
    if (pool.target.permissions) {
        set_permissions(open_folder(path).get(), path, *pool.target.permissions);
    }
}

void DirBackend::start(const PoolDef& pool) const {
    open_folder(*pool.target.path);
}

PoolContents DirBackend::contents(const PoolDef& pool) const {
    const std::string& path = *pool.target.path;
    const Fd folder = open_folder(path);

    struct statvfs space {};

    if (::fstatvfs(folder.get(), &space) != 0) {
        fail("look at", path, errno);
    }
    PoolContents found;
    found.permissions = permissions_of(folder.get(), path);
    found.capacity = uint64_t{space.f_frsize} * space.f_blocks;
    found.available = uint64_t{space.f_frsize} * space.f_bfree;
    found.allocation = found.capacity - found.available;
    each_name(path, [&](const std::string& name) {
        if (is_reserved(name)) {
            return;
        }
        if (!can_be_shown(name)) {
            log::warning("pool '{}': a file whose name is not text is passed over", pool.name);
            return;
        }
        if (auto volume = probe_volume_file(path_in(pool, name), name)) {
            found.volumes.push_back(std::move(*volume));
        }
    });
    return found;
}

void DirBackend::remove(const PoolDef& pool) const {
    const std::string& path = *pool.target.path;
    if (::rmdir(path.c_str()) != 0) {
        const int error = errno;
        if (error == ENOTEMPTY || error == EEXIST) {
            throw Error(ErrorCode::operation_failed,
                        "folder '{}' of pool '{}' is not empty; delete what is in it first",
                        path,
                        pool.name);
        }
        fail("remove folder", path, error);
    }
}

VolumeDef DirBackend::volume(const PoolDef& pool, const std::string& name) const {
    auto found = probe_volume_file(path_in(pool, name), name);
    if (!found) {
        throw Error(ErrorCode::no_storage_vol,
                    "no storage vol with matching name '{}': it is gone from pool '{}'",
                    name,
                    pool.name);
    }
    return std::move(*found);
}

void DirBackend::remove_volume(const PoolDef& pool, const VolumeDef& volume) const {
    const std::string path = path_in(pool, volume.name);
    const bool folder = volume.type == VolumeType::dir;
    const int result = folder ? ::rmdir(path.c_str()) : ::unlink(path.c_str());
    if (result != 0 && errno != ENOENT) {
        fail("delete volume", path, errno);
    }
}

std::string DirBackend::reserve(const PoolDef& pool, const VolumeDef& volume) const {
    const std::string path =
        path_in(pool, fmt::format("{}{}{}", reserved_prefix, volume.name, reserved_suffix));
    // Nobody but its owner may read what is going to be a guest's disk.
    const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) {
        fail("create", path, errno);
    }
    return path;
}

void DirBackend::publish(const PoolDef& pool,
                         const VolumeDef& volume,
                         const std::string& reserved) const {
    const std::string path = path_in(pool, volume.name);
    {
        const Fd fd(::open(reserved.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) {
            fail("open", reserved, errno);
        }
        allocate(fd.get(), path, volume);
        if (volume.target.permissions) {
            set_permissions(fd.get(), path, *volume.target.permissions);
        }
        if (::fsync(fd.get()) != 0) {
            fail("write", path, errno);
        }
    }
    take_name(reserved, path);
    const Fd folder = open_folder(*pool.target.path);
    if (::fsync(folder.get()) != 0) {
        fail("write folder", *pool.target.path, errno);
    }
}

void DirBackend::abandon(const std::string& reserved) const noexcept {
    ::unlink(reserved.c_str());
}

void DirBackend::clean_up(const PoolDef& pool) const {
    each_name(*pool.target.path, [&](const std::string& name) {
        if (is_reserved(name)) {
            log::info("pool '{}': removes '{}', which was never finished", pool.name, name);
            abandon(path_in(pool, name));
        }
    });
}

const Backend& backend_for(PoolType type) {
    static const DirBackend dir;
    if (type != PoolType::dir) {
        throw Error(ErrorCode::config_unsupported,
                    "pools of type '{}' are not supported, only 'dir' is",
                    xml::name_of(type));
    }
    return dir;
}

} // namespace vireo::storage
