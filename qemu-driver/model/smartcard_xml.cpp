// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/smartcard_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const HostSmartcard*) {
    static const xml::Type type = xml::element<HostSmartcard>("");
    return type;
}

static const xml::Type& describe(const CertificatesSmartcard*) {
    static const xml::Type type = xml::element<CertificatesSmartcard>(
        "",
        xml::text("certificate", &CertificatesSmartcard::certificates),
        xml::text("database", &CertificatesSmartcard::database));
    return type;
}

static const xml::Type& describe(const PassthroughSmartcard*) {
    static const xml::Type type =
        xml::element<PassthroughSmartcard>("", xml::embed(&PassthroughSmartcard::chardev));
    return type;
}

const xml::Type& describe(const SmartcardDef*) {
    static const xml::Type type =
        xml::element<SmartcardDef>("smartcard",
                                   xml::kind<SmartcardMode>("mode", &SmartcardDef::kind),
                                   xml::one_of(&SmartcardDef::kind),
                                   xml::embed(&SmartcardDef::info));
    return type;
}

} // namespace vireo::qemu
