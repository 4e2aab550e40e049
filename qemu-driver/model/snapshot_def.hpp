// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <string_view>

/// `<domainsnapshot>`.
namespace vireo::qemu {

/// One disk of a snapshot: the image that what is written afterwards goes to.
struct SnapshotDisk {
    std::string name;
    std::optional<SnapshotMode> snapshot;
    DiskImage image;
    xml::Where where;
};

struct SnapshotMemory {
    std::optional<SnapshotMode> snapshot;
    std::optional<std::string> file;
};

struct SnapshotDef {
    std::string name; // empty only before it is taken
    std::optional<std::string> description;
    /// `running`, `paused`, `shutoff`, `disk-snapshot`.
    std::optional<std::string> state;
    std::string parent; // empty: a root
    /// Seconds since the epoch.
    std::optional<uint64_t> creation_time;
    std::optional<SnapshotMemory> memory;
    std::vector<SnapshotDisk> disks;
    /// As it was when the snapshot was taken.
    xml::Box<DomainDef> domain;
    /// `<active>1</active>`, in the daemon's own files: the snapshot that the domain stands on.
    std::optional<uint32_t> active;
};

const xml::Type& describe(const SnapshotDef*);

/// Reads the document of a snapshot; throws xml_error as parse_domain does.
SnapshotDef parse_snapshot(std::string_view text);

/// What it shows of itself; passwords of the domain only where `secure`.
std::string format_snapshot(SnapshotDef snapshot, bool secure);

/// The image that a document for BlockCopy describes: a `<disk>` of which `<source>` and the format
/// in `<driver>` count, which is `format` where it is not said. Throws xml_error.
DiskImage parse_copy_destination(std::string_view text, DiskFormat format);

} // namespace vireo::qemu
