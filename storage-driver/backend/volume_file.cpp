// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/backend/volume_file.hpp"

#include "libshared/fd.hpp"
#include "storage-driver/backend/image_header.hpp"
#include "storage-driver/model/pool_def.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vireo::storage {

namespace {

constexpr uint64_t stat_block = 512;

std::string read_start(int fd) {
    std::string bytes(image_header_size, '\0');
    const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
}

std::string time_text(const struct statx_timestamp& time) {
    return time.tv_nsec == 0 ? fmt::format("{}", time.tv_sec)
                             : fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
}

Timestamps timestamps(const struct statx& status) {
    Timestamps times;
    times.atime = time_text(status.stx_atime);
    times.mtime = time_text(status.stx_mtime);
    times.ctime = time_text(status.stx_ctime);
    if ((status.stx_mask & STATX_BTIME) != 0) {
        times.btime = time_text(status.stx_btime);
    }
    return times;
}

/// A relative name is looked for beside the image.
std::string backing_path(const std::string& image, const std::string& backing) {
    const bool whole = backing.starts_with('/') || backing.find(':') != std::string::npos;
    return whole ? backing : tidy_path(image.substr(0, image.rfind('/') + 1) + backing);
}

void describe_image(VolumeDef& volume, const ImageHeader& header) {
    VolumeTarget& target = volume.target;
    target.format.type = header.format;
    if (header.capacity) {
        volume.capacity = header.capacity;
    }
    target.compat = header.compat;
    target.cluster_size = header.cluster_size.value_or(0);
    if (header.features != VolumeFeatures{}) {
        target.features = header.features;
    }
    if (header.encrypted) {
        target.encryption = xml::Raw{"<encryption format='luks'/>"};
    }
    if (header.backing_path) {
        volume.backing = BackingStore{};
        volume.backing->path = backing_path(*target.path, *header.backing_path);
        volume.backing->format.type = header.backing_format.value_or(VolumeFormat::raw);
    }
}

} // namespace

std::optional<VolumeDef> probe_volume_file(const std::string& path, const std::string& name) {
    // Opening comes after looking: to open a device or a pipe may do something.
    struct statx status {};

    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS | STATX_BTIME, &status) != 0) {
        return std::nullopt;
    }
    VolumeDef volume;
    volume.name = name;
    volume.key = path;
    volume.target.path = path;
    volume.allocation = status.stx_blocks * stat_block;
    Permissions permissions;
    permissions.mode = status.stx_mode & 07777;
    permissions.owner = status.stx_uid;
    permissions.group = status.stx_gid;
    volume.target.permissions = permissions;
    volume.target.timestamps = timestamps(status);
    const mode_t kind = status.stx_mode & S_IFMT;
    if (kind == S_IFDIR) {
        volume.type = VolumeType::dir;
        volume.target.format.type = VolumeFormat::dir;
        volume.capacity = 0;
        return volume;
    }
    if (kind != S_IFREG && kind != S_IFBLK) {
        return std::nullopt;
    }
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    volume.physical = status.stx_size;
    if (kind == S_IFBLK) {
        volume.type = VolumeType::block;
        uint64_t size = 0;
        if (fd && ::ioctl(fd.get(), BLKGETSIZE64, &size) == 0) {
            volume.physical = size;
        }
        volume.allocation = volume.physical;
    }
    volume.capacity = volume.physical;
    if (fd) {
        describe_image(volume, parse_image_header(read_start(fd.get())));
    }
    return volume;
}

} // namespace vireo::storage
