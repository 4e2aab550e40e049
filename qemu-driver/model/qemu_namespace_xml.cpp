// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/qemu_namespace_xml.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const QemuEnv*) {
    static const xml::Type type = xml::element<QemuEnv>(
        "env", xml::attr("name", &QemuEnv::name), xml::attr("value", &QemuEnv::value));
    return type;
}

const xml::Type& describe(const QemuCommandline*) {
    static const xml::Type type =
        xml::element<QemuCommandline>("commandline",
                                      xml::each("arg", "value", &QemuCommandline::args),
                                      xml::child(&QemuCommandline::env));
    return type;
}

const xml::Type& describe(const QemuCapabilityOverrides*) {
    static const xml::Type type = xml::element<QemuCapabilityOverrides>(
        "capabilities",
        xml::each("add", "capability", &QemuCapabilityOverrides::add),
        xml::each("del", "capability", &QemuCapabilityOverrides::del));
    return type;
}

static const xml::Type& describe(const QemuProperty*) {
    static const xml::Type type =
        xml::element<QemuProperty>("property",
                                   xml::attr("name", &QemuProperty::name),
                                   xml::attr("type", &QemuProperty::type),
                                   xml::attr("value", &QemuProperty::value));
    return type;
}

const xml::Type& describe(const QemuOverride*) {
    static const xml::Type type =
        xml::element<QemuOverride>("device",
                                   xml::attr("alias", &QemuOverride::alias),
                                   xml::group("frontend", xml::child(&QemuOverride::properties)));
    return type;
}

} // namespace vireo::qemu
