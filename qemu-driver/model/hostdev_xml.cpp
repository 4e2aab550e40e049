// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/hostdev_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const PciHostdev*) {
    static const xml::Type type = xml::element<PciHostdev>(
        "",
        xml::group("driver", xml::attr("name", &PciHostdev::driver)),
        xml::group("source",
                   xml::attr("writeFiltering", &PciHostdev::write_filtering),
                   xml::group("address",
                              xml::attr("type", &PciHostdev::kind),
                              xml::embed(&PciHostdev::address))));
    return type;
}

static const xml::Type& describe(const UsbHostdev*) {
    using U = UsbHostdev;
    static const xml::Type type =
        xml::element<U>("",
                        xml::group("source",
                                   xml::attr("startupPolicy", &U::startup_policy),
                                   xml::attr("guestReset", &U::guest_reset),
                                   xml::group("vendor", xml::attr("id", &U::vendor, xml::hex<4>)),
                                   xml::group("product", xml::attr("id", &U::product, xml::hex<4>)),
                                   xml::group("address",
                                              xml::attr("bus", &U::bus, xml::any_base),
                                              xml::attr("device", &U::device, xml::any_base))));
    return type;
}

static const xml::Type& describe(const ScsiHostAddress*) {
    static const xml::Type type =
        xml::element<ScsiHostAddress>("address",
                                      xml::attr("bus", &ScsiHostAddress::bus, xml::any_base),
                                      xml::attr("target", &ScsiHostAddress::target, xml::any_base),
                                      xml::attr("unit", &ScsiHostAddress::unit, xml::any_base));
    return type;
}

static const xml::Type& describe(const ScsiHostdev*) {
    using S = ScsiHostdev;
    static const xml::Type type = xml::element<S>(
        "",
        xml::attr("sgio", &S::sgio),
        xml::attr("rawio", &S::rawio),
        xml::group("source",
                   xml::attr("protocol", &S::protocol),
                   xml::attr("name", &S::name),
                   xml::child(&S::hosts),
                   xml::group("initiator", xml::group("iqn", xml::attr("name", &S::initiator_iqn))),
                   xml::child(&S::auth),
                   xml::group("adapter", xml::attr("name", &S::adapter)),
                   xml::child(&S::address)));
    return type;
}

static const xml::Type& describe(const ScsiVhostHostdev*) {
    using S = ScsiVhostHostdev;
    static const xml::Type type = xml::element<S>(
        "",
        xml::attr("model", &S::model),
        xml::group("source", xml::attr("protocol", &S::protocol), xml::attr("wwpn", &S::wwpn)));
    return type;
}

static const xml::Type& describe(const MdevHostdev*) {
    using M = MdevHostdev;
    static const xml::Type type = xml::element<M>(
        "",
        xml::attr("model", &M::model),
        xml::attr("display", &M::display),
        xml::attr("ramfb", &M::ramfb),
        xml::group("source", xml::group("address", xml::attr("uuid", &M::uuid, xml::uuid))));
    return type;
}

const xml::Type& describe(const HostdevDef*) {
    static const xml::Type type =
        xml::element<HostdevDef>("hostdev",
                                 xml::attr("mode", &HostdevDef::mode),
                                 xml::kind<HostdevType>("type", &HostdevDef::source),
                                 xml::attr("managed", &HostdevDef::managed),
                                 xml::one_of(&HostdevDef::source),
                                 xml::child(&HostdevDef::teaming),
                                 xml::flag("readonly", &HostdevDef::readonly),
                                 xml::flag("shareable", &HostdevDef::shareable),
                                 xml::embed(&HostdevDef::info));
    return type;
}

} // namespace vireo::qemu
