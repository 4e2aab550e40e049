// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/parts.hpp"
#include "storage-driver/model/permissions.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vireo::storage {

/// libvirt's kinds of pools; their order is that of the bits in ListStoragePools' flags.
enum class PoolType {
    dir,
    fs,
    netfs,
    logical,
    disk,
    iscsi,
    scsi,
    mpath,
    rbd,
    sheepdog,
    gluster,
    zfs,
    vstorage,
    iscsi_direct,
};

/// `<source>`: where the pool's storage comes from; a folder has none. What is in it is the
/// business of the backends that need it.
struct PoolSource {
    xml::Extra extra;

    bool operator==(const PoolSource&) const = default;
};

struct PoolTarget {
    std::optional<std::string> path;
    std::optional<Permissions> permissions;

    bool operator==(const PoolTarget&) const = default;
};

/// A storage pool's document. The sizes are bytes and say how things are, not what is wanted.
struct PoolDef {
    PoolType type{};
    std::string name;
    std::string uuid;
    uint64_t capacity{};
    uint64_t allocation{};
    uint64_t available{};
    PoolSource source;
    PoolTarget target;

    bool operator==(const PoolDef&) const = default;
};

const xml::Type& describe(const PoolDef*);

/// Parses a document that a client sent, completes it (a UUID, a tidy path) and checks it. With
/// `validate`, elements and attributes that nobody knows are refused; without, they are passed
/// over. Throws xml_error, and config_unsupported for a pool that is not of a kind that Vireo
/// serves.
PoolDef parse_pool(std::string_view text, bool validate = false);

/// The document of a pool as libvirt writes it.
std::string format_pool(const PoolDef& pool);

/// `/a//b/` as `/a/b`; a path that is not absolute stays as it is.
std::string tidy_path(std::string_view path);

/// A random UUID (RFC 4122, version 4) as text.
std::string make_uuid();

/// `uuid` with dashes and in lower case, whether it came with them or not; nothing if it is none.
std::optional<std::string> normal_uuid(std::string_view uuid);

} // namespace vireo::storage

template <>
struct vireo::xml::EnumNames<vireo::storage::PoolType> {
    static constexpr std::array<std::string_view, 14> names{
        "dir",
        "fs",
        "netfs",
        "logical",
        "disk",
        "iscsi",
        "scsi",
        "mpath",
        "rbd",
        "sheepdog",
        "gluster",
        "zfs",
        "vstorage",
        "iscsi-direct",
    };
};
