// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/vsock_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const VsockDef*) {
    static const xml::Type type = xml::element<VsockDef>(
        "vsock",
        xml::attr("model", &VsockDef::model),
        xml::group(
            "cid", xml::attr("auto", &VsockDef::auto_cid), xml::attr("address", &VsockDef::cid)),
        xml::group("driver", xml::embed(&VsockDef::virtio)),
        xml::embed(&VsockDef::info));
    return type;
}

} // namespace vireo::qemu
