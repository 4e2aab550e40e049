// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_source.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

#include <utility>

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

/// `<source>` with all that an image can have in it, and `more`.
template <class... More>
auto image_source(More... more) {
    return xml::group("source",
                      xml::one_of(&DiskImage::source),
                      xml::attr("startupPolicy", &DiskImage::startup_policy),
                      std::move(more)...,
                      xml::child(&DiskImage::seclabels),
                      xml::child(&DiskImage::auth),
                      xml::child(&DiskImage::reservations),
                      xml::child(&DiskImage::encryption),
                      xml::group("slices", xml::child(&DiskImage::slices)))
        .optional();
}

/// The same of an image at the top of its chain: its number stands in it, and not beside it as that
/// of a `<backingStore>`.
inline auto top_image_source() {
    return image_source(xml::attr("index", &DiskImage::index));
}

/// `<metadata_cache>` of a `<driver>` or `<format>`.
inline auto image_metadata_cache() {
    return xml::group("metadata_cache",
                      xml::text("max_size", &DiskImage::metadata_cache_bytes, xml::bytes));
}

} // namespace vireo::qemu
