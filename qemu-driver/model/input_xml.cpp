// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/input_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const InputSource*) {
    static const xml::Type type =
        xml::element<InputSource>("source",
                                  xml::attr("evdev", &InputSource::evdev),
                                  xml::attr("dev", &InputSource::dev),
                                  xml::attr("grab", &InputSource::grab),
                                  xml::attr("grabToggle", &InputSource::grab_toggle),
                                  xml::attr("repeat", &InputSource::repeat));
    return type;
}

const xml::Type& describe(const InputDef*) {
    static const xml::Type type =
        xml::element<InputDef>("input",
                               xml::attr("type", &InputDef::type),
                               xml::attr("bus", &InputDef::bus),
                               xml::attr("model", &InputDef::model),
                               xml::group("driver", xml::embed(&InputDef::virtio)),
                               xml::child(&InputDef::source),
                               xml::embed(&InputDef::info));
    return type;
}

} // namespace vireo::qemu
