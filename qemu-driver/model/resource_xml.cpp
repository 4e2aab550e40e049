// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/resource_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const ResourceDef*) {
    static const xml::Type type = xml::element<ResourceDef>(
        "resource",
        xml::text("partition", &ResourceDef::partition),
        xml::group("fibrechannel", xml::attr("appid", &ResourceDef::fibrechannel_appid)));
    return type;
}

static const xml::Type& describe(const IdMapping*) {
    static const xml::Type type = xml::element<IdMapping>("",
                                                          xml::attr("start", &IdMapping::start),
                                                          xml::attr("target", &IdMapping::target),
                                                          xml::attr("count", &IdMapping::count));
    return type;
}

const xml::Type& describe(const IdmapDef*) {
    static const xml::Type type = xml::element<IdmapDef>(
        "idmap", xml::child("uid", &IdmapDef::uids), xml::child("gid", &IdmapDef::gids));
    return type;
}

const xml::Type& describe(const PerfEvent*) {
    static const xml::Type type = xml::element<PerfEvent>(
        "event", xml::attr("name", &PerfEvent::name), xml::attr("enabled", &PerfEvent::enabled));
    return type;
}

} // namespace vireo::qemu
