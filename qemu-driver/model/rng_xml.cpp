// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/rng_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const RandomBackend*) {
    static const xml::Type type =
        xml::element<RandomBackend>("", xml::content(&RandomBackend::path));
    return type;
}

static const xml::Type& describe(const EgdBackend*) {
    static const xml::Type type = xml::element<EgdBackend>("", xml::embed(&EgdBackend::chardev));
    return type;
}

static const xml::Type& describe(const BuiltinBackend*) {
    static const xml::Type type = xml::element<BuiltinBackend>("");
    return type;
}

static const xml::Type& describe(const RngRate*) {
    static const xml::Type type = xml::element<RngRate>(
        "rate", xml::attr("bytes", &RngRate::bytes), xml::attr("period", &RngRate::period_ms));
    return type;
}

const xml::Type& describe(const RngDef*) {
    static const xml::Type type =
        xml::element<RngDef>("rng",
                             xml::attr("model", &RngDef::model),
                             xml::child(&RngDef::rate),
                             xml::group("backend",
                                        xml::kind<RngBackendModel>("model", &RngDef::backend),
                                        xml::one_of(&RngDef::backend)),
                             xml::group("driver", xml::embed(&RngDef::virtio)),
                             xml::embed(&RngDef::info));
    return type;
}

} // namespace vireo::qemu
