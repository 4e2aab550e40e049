// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/hub_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const HubDef*) {
    static const xml::Type type =
        xml::element<HubDef>("hub", xml::attr("type", &HubDef::type), xml::embed(&HubDef::info));
    return type;
}

} // namespace vireo::qemu
