// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/launch_security_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const LaunchSecurityDef*) {
    using L = LaunchSecurityDef;
    static const xml::Type type = xml::element<L>(
        "launchSecurity",
        xml::attr("type", &L::type),
        xml::when([](const L& security) { return security.type == LaunchSecurityType::sev; },
                  xml::attr("kernelHashes", &L::kernel_hashes),
                  xml::text("cbitpos", &L::cbitpos),
                  xml::text("reducedPhysBits", &L::reduced_phys_bits),
                  xml::text("policy", &L::policy, xml::hex<4>),
                  xml::text("dhCert", &L::dh_cert),
                  xml::text("session", &L::session)));
    return type;
}

} // namespace vireo::qemu
