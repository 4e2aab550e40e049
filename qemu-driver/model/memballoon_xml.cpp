// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/memballoon_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const MemballoonDef*) {
    static const xml::Type type = xml::element<MemballoonDef>(
        "memballoon",
        xml::attr("model", &MemballoonDef::model),
        xml::attr("autodeflate", &MemballoonDef::autodeflate),
        xml::attr("freePageReporting", &MemballoonDef::free_page_reporting),
        xml::group("stats", xml::attr("period", &MemballoonDef::stats_period_s)),
        xml::group("driver", xml::embed(&MemballoonDef::virtio)),
        xml::embed(&MemballoonDef::info));
    return type;
}

} // namespace vireo::qemu
