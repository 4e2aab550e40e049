// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/panic_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const PanicDef*) {
    static const xml::Type type = xml::element<PanicDef>(
        "panic", xml::attr("model", &PanicDef::model), xml::embed(&PanicDef::info));
    return type;
}

} // namespace vireo::qemu
