// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/watchdog_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const WatchdogDef*) {
    static const xml::Type type =
        xml::element<WatchdogDef>("watchdog",
                                  xml::attr("model", &WatchdogDef::model),
                                  xml::attr("action", &WatchdogDef::action),
                                  xml::embed(&WatchdogDef::info));
    return type;
}

} // namespace vireo::qemu
