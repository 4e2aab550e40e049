// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

static const xml::Type& describe(const FcHost*) {
    static const xml::Type type = xml::element<FcHost>("capability",
                                                       nested_type<FcHost>(),
                                                       xml::text("wwnn", &FcHost::wwnn),
                                                       xml::text("wwpn", &FcHost::wwpn),
                                                       known("fabric_wwn", &FcHost::fabric_wwn));
    return type;
}

static const xml::Type& describe(const VportOps*) {
    static const xml::Type type =
        xml::element<VportOps>("capability",
                               nested_type<VportOps>(),
                               xml::text("max_vports", &VportOps::max_vports),
                               xml::text("vports", &VportOps::vports));
    return type;
}

static const xml::Type& describe(const FcRemotePort*) {
    static const xml::Type type =
        xml::element<FcRemotePort>("capability",
                                   nested_type<FcRemotePort>(),
                                   xml::text("rport", &FcRemotePort::rport),
                                   xml::text("wwpn", &FcRemotePort::wwpn));
    return type;
}

const xml::Type& describe(const ScsiHostCapability*) {
    static const xml::Type type = xml::element<ScsiHostCapability>(
        "capability",
        xml::text("host", &ScsiHostCapability::host),
        xml::text("unique_id", &ScsiHostCapability::unique_id).absent_is(-1),
        nested<ScsiHostCapability, &ScsiHostCapability::fc_host, &ScsiHostCapability::vport_ops>());
    return type;
}

const xml::Type& describe(const ScsiTargetCapability*) {
    static const xml::Type type = xml::element<ScsiTargetCapability>(
        "capability",
        xml::text("target", &ScsiTargetCapability::target),
        nested<ScsiTargetCapability, &ScsiTargetCapability::remote_port>());
    return type;
}

const xml::Type& describe(const ScsiCapability*) {
    static const xml::Type type =
        xml::element<ScsiCapability>("capability",
                                     xml::text("host", &ScsiCapability::host),
                                     xml::text("bus", &ScsiCapability::bus),
                                     xml::text("target", &ScsiCapability::target),
                                     xml::text("lun", &ScsiCapability::lun),
                                     known("type", &ScsiCapability::type));
    return type;
}

const xml::Type& describe(const ScsiGenericCapability*) {
    static const xml::Type type = xml::element<ScsiGenericCapability>(
        "capability", xml::text("char", &ScsiGenericCapability::character));
    return type;
}

} // namespace vireo::nodedev
