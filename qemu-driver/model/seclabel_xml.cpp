// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/seclabel_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const SeclabelDef*) {
    static const xml::Type type =
        xml::element<SeclabelDef>("seclabel",
                                  xml::attr("type", &SeclabelDef::type),
                                  xml::attr("model", &SeclabelDef::model),
                                  xml::attr("relabel", &SeclabelDef::relabel),
                                  xml::text("label", &SeclabelDef::label),
                                  xml::text("imagelabel", &SeclabelDef::imagelabel),
                                  xml::text("baselabel", &SeclabelDef::baselabel));
    return type;
}

} // namespace vireo::qemu
