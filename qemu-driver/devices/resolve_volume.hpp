// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_def.hpp"

namespace vireo::qemu {

enum class PoolKind {
    dir,
    fs,
    netfs,
    logical,
    disk,
    iscsi,
    iscsi_direct,
    scsi,
    mpath,
    rbd,
    sheepdog,
    gluster,
    zfs,
    vstorage
};

enum class VolumeKind { file, block, dir, network, netdir };

/// What the storage driver says of a volume and its pool.
struct VolumeFacts {
    PoolKind pool{};
    std::vector<SourceHost> hosts; ///< of the pool
    std::string device;            ///< iscsi: the target's name
    std::optional<AuthDef> auth;   ///< of the pool
    std::string gluster_volume;    ///< gluster: the server's volume
    VolumeKind kind{};
    std::string name;
    std::string path;
};

/// Puts what a volume that is an image of `disk` stands for in its place: the volume's file, device
/// or network image. Throws config_unsupported where QEMU cannot open such a volume, or the disk
/// asks for what only another pool can do.
void resolve_volume(DiskDef& disk, DiskImage& image, const VolumeFacts& facts);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::PoolKind> {
    static constexpr std::array<std::string_view, 14> names{"dir",
                                                            "fs",
                                                            "netfs",
                                                            "logical",
                                                            "disk",
                                                            "iscsi",
                                                            "iscsi-direct",
                                                            "scsi",
                                                            "mpath",
                                                            "rbd",
                                                            "sheepdog",
                                                            "gluster",
                                                            "zfs",
                                                            "vstorage"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VolumeKind> {
    static constexpr std::array<std::string_view, 5> names{
        "file", "block", "dir", "network", "netdir"};
};
