// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

static const xml::Type& describe(const SecondaryController*) {
    static const xml::Type type = xml::element<SecondaryController>(
        "secondary",
        xml::attr("controller", &SecondaryController::controller).absent_is(""),
        xml::child(&SecondaryController::address));
    return type;
}

static const xml::Type& describe(const SecondaryControllers*) {
    static const xml::Type type =
        xml::element<SecondaryControllers>("secondary_controllers",
                                           xml::attr("maxCount", &SecondaryControllers::max_count),
                                           xml::child(&SecondaryControllers::controllers));
    return type;
}

static const xml::Type& describe(const DeviceUse*) {
    static const xml::Type type =
        xml::element<DeviceUse>("in_use",
                                xml::attr("kind", &DeviceUse::kind),
                                xml::attr("by", &DeviceUse::by).absent_is(""),
                                xml::attr("device", &DeviceUse::device).absent_is(""));
    return type;
}

const xml::Type& describe(const NvmeCapability*) {
    static const xml::Type type = xml::element<NvmeCapability>(
        "capability",
        xml::text("controller", &NvmeCapability::controller),
        xml::child(&NvmeCapability::address),
        known("model", &NvmeCapability::model),
        known("serial", &NvmeCapability::serial),
        known("firmware", &NvmeCapability::firmware),
        known("nqn", &NvmeCapability::nqn),
        known("transport", &NvmeCapability::transport),
        known("state", &NvmeCapability::state),
        xml::text("id", &NvmeCapability::id),
        xml::group("numa", xml::attr("node", &NvmeCapability::numa_node)),
        xml::child(&NvmeCapability::secondary));
    return type;
}

const xml::Type& describe(const NvmeNamespace*) {
    static const xml::Type type =
        xml::element<NvmeNamespace>("capability",
                                    nested_type<NvmeNamespace>(),
                                    xml::text("id", &NvmeNamespace::id),
                                    xml::each("controller", "name", &NvmeNamespace::controllers),
                                    xml::text("size", &NvmeNamespace::size),
                                    xml::text("used", &NvmeNamespace::used),
                                    xml::text("lba_size", &NvmeNamespace::lba_size),
                                    xml::text("metadata_size", &NvmeNamespace::metadata_size),
                                    known("nguid", &NvmeNamespace::nguid),
                                    known("eui64", &NvmeNamespace::eui64),
                                    known("uuid", &NvmeNamespace::uuid),
                                    known("generic", &NvmeNamespace::generic),
                                    xml::child(&NvmeNamespace::uses));
    return type;
}

} // namespace vireo::nodedev
