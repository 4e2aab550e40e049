// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/vcpu_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

static const xml::Type& describe(const VcpuState*) {
    static const xml::Type type =
        xml::element<VcpuState>("vcpu",
                                xml::attr("id", &VcpuState::id),
                                xml::attr("enabled", &VcpuState::enabled),
                                xml::attr("hotpluggable", &VcpuState::hotpluggable),
                                xml::attr("order", &VcpuState::order));
    return type;
}

const xml::Type& describe(const VcpuDef*) {
    static const xml::Type type =
        xml::element<VcpuDef>("",
                              xml::group("vcpu",
                                         xml::attr("placement", &VcpuDef::placement),
                                         xml::attr("cpuset", &VcpuDef::cpuset),
                                         xml::attr("current", &VcpuDef::current),
                                         xml::content(&VcpuDef::maximum).optional()),
                              xml::group("vcpus", xml::child(&VcpuDef::states)));
    return type;
}

} // namespace vireo::qemu
