// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/iommu_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

const xml::Type& describe(const IommuDef*) {
    static const xml::Type type =
        xml::element<IommuDef>("iommu",
                               xml::attr("model", &IommuDef::model),
                               xml::group("driver",
                                          xml::attr("intremap", &IommuDef::intremap),
                                          xml::attr("caching_mode", &IommuDef::caching_mode),
                                          xml::attr("eim", &IommuDef::eim),
                                          xml::attr("iotlb", &IommuDef::iotlb),
                                          xml::attr("aw_bits", &IommuDef::aw_bits)),
                               xml::embed(&IommuDef::info));
    return type;
}

} // namespace vireo::qemu
