// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_source.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const FileSource*);
const xml::Type& describe(const BlockSource*);
const xml::Type& describe(const DirSource*);
const xml::Type& describe(const VolumeSource*);
const xml::Type& describe(const NvmeSource*);
const xml::Type& describe(const VhostUserSource*);
const xml::Type& describe(const VhostVdpaSource*);
const xml::Type& describe(const ReservationsDef*);
const xml::Type& describe(const SliceDef*);

/// `type=`: which `<source>` follows.
inline auto image_type() {
    return xml::kind<DiskType>("type", &DiskImage::source).optional();
}

/// `<source>` with all that an image can have in it.
inline auto image_source() {
    return xml::group("source",
                      xml::one_of(&DiskImage::source),
                      xml::attr("startupPolicy", &DiskImage::startup_policy),
                      xml::child(&DiskImage::seclabels),
                      xml::child(&DiskImage::auth),
                      xml::child(&DiskImage::reservations),
                      xml::child(&DiskImage::encryption),
                      xml::group("slices", xml::child(&DiskImage::slices)))
        .optional();
}

/// `<metadata_cache>` of a `<driver>` or `<format>`.
inline auto image_metadata_cache() {
    return xml::group("metadata_cache",
                      xml::text("max_size", &DiskImage::metadata_cache_bytes, xml::bytes));
}

} // namespace vireo::qemu
