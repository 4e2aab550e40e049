// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/lease_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const LeaseDef*) {
    static const xml::Type type =
        xml::element<LeaseDef>("lease",
                               xml::text("lockspace", &LeaseDef::lockspace),
                               xml::text("key", &LeaseDef::key),
                               xml::group("target",
                                          xml::attr("path", &LeaseDef::path),
                                          xml::attr("offset", &LeaseDef::offset_bytes)));
    return type;
}

} // namespace vireo::qemu
