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

/// In libvirt's numbering (virStorageVolType), which GetInfo gives.
enum class VolumeType { file, block, dir, network, netdir, ploop };

/// What is in the volume. `none` only as the word of a document.
enum class VolumeFormat {
    none,
    raw,
    dir,
    bochs,
    cloop,
    dmg,
    iso,
    vpc,
    vdi,
    fat,
    vhd,
    ploop,
    cow,
    qcow,
    qcow2,
    qed,
    vmdk,
};

struct FormatElement {
    VolumeFormat type = VolumeFormat::raw;

    bool operator==(const FormatElement&) const = default;
};

/// `seconds.nanoseconds` since 1970.
struct Timestamps {
    std::optional<std::string> atime;
    std::optional<std::string> mtime;
    std::optional<std::string> ctime;
    std::optional<std::string> btime;

    bool operator==(const Timestamps&) const = default;
};

/// `<features>` of a qcow2 image.
struct VolumeFeatures {
    bool lazy_refcounts{};
    bool extended_l2{};

    bool operator==(const VolumeFeatures&) const = default;
};

struct VolumeTarget {
    std::optional<std::string> path;
    FormatElement format;
    std::optional<Permissions> permissions;
    std::optional<Timestamps> timestamps;
    std::optional<xml::Raw> encryption;
    /// qcow2's version in QEMU's words: `0.10` is version 2, `1.1` version 3.
    std::optional<std::string> compat;
    /// Bytes; 0 is the format's default.
    uint64_t cluster_size{};
    bool nocow{};
    std::optional<VolumeFeatures> features;

    bool operator==(const VolumeTarget&) const = default;
};

struct BackingStore {
    std::optional<std::string> path;
    FormatElement format;
    std::optional<Permissions> permissions;

    bool operator==(const BackingStore&) const = default;
};

/// A volume's document. Sizes are bytes.
struct VolumeDef {
    VolumeType type{};
    std::string name;
    std::optional<std::string> key;
    std::optional<xml::Raw> source;
    std::optional<uint64_t> capacity;
    std::optional<uint64_t> allocation;
    std::optional<uint64_t> physical;
    VolumeTarget target;
    std::optional<BackingStore> backing;

    bool operator==(const VolumeDef&) const = default;
};

const xml::Type& describe(const VolumeDef*);

/// Parses a document that a client sent and checks its name and sizes. `validate` as for
/// parse_pool. Throws xml_error.
VolumeDef parse_volume(std::string_view text, bool validate = false);

/// The document of a volume as libvirt writes it.
std::string format_volume(const VolumeDef& volume);

/// Throws xml_error unless `name` can be a file's name: not empty, no `/`, not `.` or `..`, not too
/// long. `kind` is what it names.
void check_file_name(std::string_view kind, std::string_view name);

} // namespace vireo::storage

template <>
struct vireo::xml::EnumNames<vireo::storage::VolumeType> {
    static constexpr std::array<std::string_view, 6> names{
        "file", "block", "dir", "network", "netdir", "ploop"};
};

template <>
struct vireo::xml::EnumNames<vireo::storage::VolumeFormat> {
    static constexpr std::array<std::string_view, 17> names{"none",
                                                            "raw",
                                                            "dir",
                                                            "bochs",
                                                            "cloop",
                                                            "dmg",
                                                            "iso",
                                                            "vpc",
                                                            "vdi",
                                                            "fat",
                                                            "vhd",
                                                            "ploop",
                                                            "cow",
                                                            "qcow",
                                                            "qcow2",
                                                            "qed",
                                                            "vmdk"};
};
