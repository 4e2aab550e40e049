// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/disk_def.hpp"
#include "qemu-driver/model/disk_source_xml.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/snapshot_def.hpp"

namespace vireo::qemu {

/// The `<disk>` of BlockCopy: clients send a whole one, of which little matters.
struct CopyDestination {
    DiskImage image;
};

static const xml::Type& describe(const SnapshotDisk*) {
    static const xml::Type type =
        xml::element<SnapshotDisk>("disk",
                                   xml::attr("name", &SnapshotDisk::name),
                                   xml::attr("snapshot", &SnapshotDisk::snapshot),
                                   xml::embed(&SnapshotDisk::image, image_type()),
                                   xml::group("driver",
                                              xml::embed(&SnapshotDisk::image,
                                                         xml::attr("type", &DiskImage::format),
                                                         image_metadata_cache())),
                                   xml::embed(&SnapshotDisk::image, image_source()));
    return type;
}

static const xml::Type& describe(const SnapshotMemory*) {
    static const xml::Type type =
        xml::element<SnapshotMemory>("memory",
                                     xml::attr("snapshot", &SnapshotMemory::snapshot),
                                     xml::attr("file", &SnapshotMemory::file));
    return type;
}

const xml::Type& describe(const SnapshotDef*) {
    using S = SnapshotDef;
    static const xml::Type type = xml::element<S>(
        "domainsnapshot",
        xml::text("name", &S::name).absent_is(std::string()),
        xml::text("description", &S::description),
        xml::text("state", &S::state),
        xml::group("parent", xml::text("name", &S::parent).absent_is(std::string())),
        xml::text("creationTime", &S::creation_time),
        xml::child(&S::memory),
        xml::group("disks", xml::child(&S::disks)),
        xml::child("domain", &S::domain),
        xml::text("active", &S::active));
    return type;
}

static const xml::Type& describe(const CopyDestination*) {
    static const xml::Type type = xml::element<CopyDestination>(
        "disk",
        xml::embed(&CopyDestination::image, image_type()),
        xml::group("driver",
                   xml::embed(&CopyDestination::image,
                              xml::attr("type", &DiskImage::format),
                              image_metadata_cache())),
        xml::embed(&CopyDestination::image, image_source(), xml::child(&DiskImage::backing)));
    return type;
}

SnapshotDef parse_snapshot(std::string_view text) {
    return xml::parse<SnapshotDef>(text);
}

std::string format_snapshot(SnapshotDef snapshot, bool secure) {
    if (snapshot.domain) {
        const DomainView view{.active = false, .secure = secure, .migratable = false};
        snapshot.domain = shown(std::move(*snapshot.domain), view);
    }
    return xml::format(snapshot);
}

DiskImage parse_copy_destination(std::string_view text, DiskFormat format) {
    xml::ParseOptions options;
    options.unknown = xml::Unknown::report; // <target> and what else a whole disk has
    DiskImage image = xml::parse<CopyDestination>(text, options).image;
    image.format = image.format.value_or(format);
    return image;
}

} // namespace vireo::qemu
