// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/resolve_volume.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu {

namespace {

template <class... A>
[[noreturn]] void refuse(const DiskDef& disk, fmt::format_string<A...> text, A&&... args) {
    throw Error(ErrorCode::config_unsupported,
                "disk '{}': {}",
                disk.target.dev,
                fmt::format(text, std::forward<A>(args)...));
}

DiskSource local_source(const DiskDef& disk, const VolumeFacts& facts) {
    switch (facts.kind) {
    case VolumeKind::file:
        return FileSource{facts.path, {}};
    case VolumeKind::block:
        return BlockSource{facts.path};
    case VolumeKind::dir:
        return DirSource{facts.path};
    case VolumeKind::network:
    case VolumeKind::netdir:
        break;
    }
    refuse(disk,
           "volume '{}' is of type '{}', which a pool of type '{}' cannot have",
           facts.name,
           name_of(facts.kind),
           name_of(facts.pool));
}

/// The storage driver names the LUNs of a target `unit:HOST:BUS:LUN`.
std::string lun_of(const DiskDef& disk, const VolumeFacts& facts) {
    const auto colon = facts.name.rfind(':');
    if (!facts.name.starts_with("unit:") || colon + 1 == facts.name.size()) {
        refuse(disk, "volume '{}' is not named 'unit:HOST:BUS:LUN'", facts.name);
    }
    return facts.name.substr(colon + 1);
}

/// QEMU logs in to the target by itself.
void use_iscsi(DiskDef& disk, DiskImage& image, const VolumeFacts& facts) {
    if (facts.hosts.size() != 1) {
        refuse(disk, "the pool of volume '{}' must have exactly one host", facts.name);
    }
    NetworkSource network;
    network.protocol = NetworkProtocol::iscsi;
    network.name = fmt::format("{}/{}", facts.device, lun_of(disk, facts));
    network.hosts = facts.hosts;
    image.source = std::move(network);
    image.auth = facts.auth;
    if (image.auth && !image.auth->secret.type) {
        image.auth->secret.type = "iscsi";
    }
    if (&image == &disk.image) {
        disk.outer_auth.reset();
    }
}

void use_gluster(const DiskDef& disk, DiskImage& image, const VolumeFacts& facts) {
    if (facts.kind != VolumeKind::network) {
        refuse(disk, "volume '{}' is not of type 'network'", facts.name);
    }
    NetworkSource network;
    network.protocol = NetworkProtocol::gluster;
    network.name = fmt::format("{}/{}", facts.gluster_volume, facts.name);
    network.hosts = facts.hosts;
    image.source = std::move(network);
}

} // namespace

void resolve_volume(DiskDef& disk, DiskImage& image, const VolumeFacts& facts) {
    const VolumeSource wanted = std::get<VolumeSource>(image.source);
    const bool iscsi = facts.pool == PoolKind::iscsi;
    if (wanted.mode && !iscsi) {
        refuse(disk, "<source mode=> is for pools of type 'iscsi', not '{}'", name_of(facts.pool));
    }
    switch (facts.pool) {
    case PoolKind::dir:
    case PoolKind::fs:
    case PoolKind::netfs:
    case PoolKind::logical:
    case PoolKind::disk:
    case PoolKind::scsi:
    case PoolKind::zfs:
    case PoolKind::vstorage:
        image.source = local_source(disk, facts);
        break;
    case PoolKind::iscsi:
        if (wanted.mode == PoolSourceMode::direct) {
            use_iscsi(disk, image, facts);
        } else {
            image.source = BlockSource{facts.path};
        }
        break;
    case PoolKind::iscsi_direct:
        use_iscsi(disk, image, facts);
        break;
    case PoolKind::gluster:
        use_gluster(disk, image, facts);
        break;
    case PoolKind::mpath:
    case PoolKind::rbd:
    case PoolKind::sheepdog:
        refuse(disk, "a volume of a pool of type '{}' cannot be a disk", name_of(facts.pool));
    }
    if (image.startup_policy && image.type() != DiskType::file) {
        refuse(disk, "startupPolicy is for files, and volume '{}' is none", facts.name);
    }
    if (disk.device == DiskDevice::lun && image.type() != DiskType::block &&
        image.type() != DiskType::network) {
        refuse(disk, "device='lun' needs a block device, and volume '{}' is none", facts.name);
    }
}

} // namespace vireo::qemu
