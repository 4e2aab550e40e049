// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

static const xml::Type& describe(const VpdField*) {
    static const xml::Type type = xml::element<VpdField>(
        "field", xml::attr("index", &VpdField::index), xml::content(&VpdField::value).optional());
    return type;
}

static const xml::Type& describe(const VpdReadOnly*) {
    static const xml::Type type =
        xml::element<VpdReadOnly>("fields",
                                  xml::attr("access", &VpdReadOnly::access),
                                  known("change_level", &VpdReadOnly::change_level),
                                  known("manufacture_id", &VpdReadOnly::manufacture_id),
                                  known("part_number", &VpdReadOnly::part_number),
                                  known("serial_number", &VpdReadOnly::serial_number),
                                  xml::child("vendor_field", &VpdReadOnly::vendor_fields));
    return type;
}

static const xml::Type& describe(const VpdReadWrite*) {
    static const xml::Type type =
        xml::element<VpdReadWrite>("fields",
                                   xml::attr("access", &VpdReadWrite::access),
                                   known("asset_tag", &VpdReadWrite::asset_tag),
                                   xml::child("vendor_field", &VpdReadWrite::vendor_fields),
                                   xml::child("system_field", &VpdReadWrite::system_fields));
    return type;
}

namespace {

/// The two `<fields>` are told apart by their `access`.
void parse_fields(VitalProductData& vpd, const xml::Node& node, xml::Problems& problems) {
    if (node.attribute("access") == VpdReadWrite{}.access.word) {
        xml::read(vpd.read_write.emplace(), node, problems);
    } else {
        xml::read(vpd.read_only.emplace(), node, problems);
    }
}

void format_fields(const VitalProductData& vpd, xml::Writer& writer) {
    if (vpd.read_only) {
        xml::write(*vpd.read_only, writer);
    }
    if (vpd.read_write) {
        xml::write(*vpd.read_write, writer);
    }
}

} // namespace

const xml::Type& describe(const VitalProductData*) {
    static const xml::Type type =
        xml::element<VitalProductData>("capability",
                                       nested_type<VitalProductData>(),
                                       xml::text("name", &VitalProductData::name),
                                       xml::custom<&parse_fields, &format_fields>("fields"));
    return type;
}

} // namespace vireo::nodedev
