// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/binding.hpp"
#include "storage-driver/model/volume_def.hpp"

namespace vireo::storage {

namespace {

/// libvirt writes a cluster's size with the unit `B`, all other sizes with `bytes`.
struct ClusterBytes : xml::Scaled<1, 1> {
    static constexpr std::string_view unit = "B";
};

} // namespace

static const xml::Type& describe(const FormatElement*) {
    static const xml::Type type =
        xml::element<FormatElement>("format", xml::attr("type", &FormatElement::type));
    return type;
}

static const xml::Type& describe(const Timestamps*) {
    static const xml::Type type = xml::element<Timestamps>("timestamps",
                                                           xml::text("atime", &Timestamps::atime),
                                                           xml::text("mtime", &Timestamps::mtime),
                                                           xml::text("ctime", &Timestamps::ctime),
                                                           xml::text("btime", &Timestamps::btime));
    return type;
}

static const xml::Type& describe(const VolumeFeatures*) {
    static const xml::Type type =
        xml::element<VolumeFeatures>("features",
                                     xml::flag("lazy_refcounts", &VolumeFeatures::lazy_refcounts),
                                     xml::flag("extended_l2", &VolumeFeatures::extended_l2));
    return type;
}

static const xml::Type& describe(const VolumeTarget*) {
    static const xml::Type type = xml::element<VolumeTarget>(
        "target",
        xml::text("path", &VolumeTarget::path),
        xml::child(&VolumeTarget::format).optional(),
        xml::child(&VolumeTarget::permissions),
        xml::child(&VolumeTarget::timestamps),
        xml::raw("encryption", &VolumeTarget::encryption),
        xml::text("compat", &VolumeTarget::compat),
        xml::text("clusterSize", &VolumeTarget::cluster_size, ClusterBytes{})
            .optional()
            .write_if([](const VolumeTarget& target) { return target.cluster_size != 0; }),
        xml::flag("nocow", &VolumeTarget::nocow),
        xml::child(&VolumeTarget::features));
    return type;
}

static const xml::Type& describe(const BackingStore*) {
    static const xml::Type type =
        xml::element<BackingStore>("backingStore",
                                   xml::text("path", &BackingStore::path),
                                   xml::child(&BackingStore::format).optional(),
                                   xml::child(&BackingStore::permissions));
    return type;
}

const xml::Type& describe(const VolumeDef*) {
    static const xml::Type type = xml::element<VolumeDef>(
        "volume",
        xml::attr("type", &VolumeDef::type).optional(),
        xml::text("name", &VolumeDef::name),
        xml::text("key", &VolumeDef::key),
        // Extents of block devices: they are the backend's to tell, never the client's.
        xml::raw("source", &VolumeDef::source).write_if([](const VolumeDef&) { return false; }),
        xml::text("capacity", &VolumeDef::capacity, xml::bytes),
        xml::text("allocation", &VolumeDef::allocation, xml::bytes),
        xml::text("physical", &VolumeDef::physical, xml::bytes),
        xml::child(&VolumeDef::target).optional(),
        xml::child(&VolumeDef::backing));
    return type;
}

} // namespace vireo::storage
