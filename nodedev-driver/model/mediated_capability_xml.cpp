// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

static const xml::Type& describe(const MdevType*) {
    static const xml::Type type =
        xml::element<MdevType>("type",
                               xml::attr("id", &MdevType::id),
                               known("name", &MdevType::name),
                               xml::text("deviceAPI", &MdevType::device_api),
                               xml::text("availableInstances", &MdevType::available_instances));
    return type;
}

static const xml::Type& describe(const MdevAttribute*) {
    static const xml::Type type = xml::element<MdevAttribute>(
        "attr", xml::attr("name", &MdevAttribute::name), xml::attr("value", &MdevAttribute::value));
    return type;
}

const xml::Type& describe(const MdevTypes*) {
    static const xml::Type type = xml::element<MdevTypes>(
        "capability", nested_type<MdevTypes>(), xml::child(&MdevTypes::types));
    return type;
}

const xml::Type& describe(const MdevCapability*) {
    static const xml::Type type = xml::element<MdevCapability>(
        "capability",
        xml::group("type", xml::attr("id", &MdevCapability::type_id)),
        xml::text("uuid", &MdevCapability::uuid, xml::uuid).absent_is(""),
        known("parent_addr", &MdevCapability::parent_addr),
        xml::group("iommuGroup", xml::attr("number", &MdevCapability::iommu_group).optional()),
        xml::child(&MdevCapability::attributes));
    return type;
}

} // namespace vireo::nodedev
