// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

static const xml::Type& describe(const CcwAddress*) {
    static const xml::Type type =
        xml::element<CcwAddress>("address",
                                 xml::text("cssid", &CcwAddress::cssid, HexAtMost<1, 0xfe>{}),
                                 xml::text("ssid", &CcwAddress::ssid, HexAtMost<1, 3>{}),
                                 xml::text("devno", &CcwAddress::devno, Identifier<4, 0xffff>{}));
    return type;
}

const xml::Type& describe(const CcwCapability*) {
    static const xml::Type type =
        xml::element<CcwCapability>("capability", xml::embed(&CcwCapability::address));
    return type;
}

const xml::Type& describe(const CssCapability*) {
    static const xml::Type type = xml::element<CssCapability>(
        "capability",
        xml::embed(&CssCapability::address),
        xml::child("channel_dev_addr", &CssCapability::channel_dev_addr),
        nested<CssCapability, &CssCapability::mdev_types>());
    return type;
}

const xml::Type& describe(const ApCardCapability*) {
    static const xml::Type type = xml::element<ApCardCapability>(
        "capability", xml::text("ap-adapter", &ApCardCapability::adapter, HexAtMost<2, 0xff>{}));
    return type;
}

const xml::Type& describe(const ApQueueCapability*) {
    static const xml::Type type = xml::element<ApQueueCapability>(
        "capability",
        xml::text("ap-adapter", &ApQueueCapability::adapter, HexAtMost<2, 0xff>{}),
        xml::text("ap-domain", &ApQueueCapability::domain, xml::hex<4>));
    return type;
}

const xml::Type& describe(const ApMatrixCapability*) {
    static const xml::Type type = xml::element<ApMatrixCapability>(
        "capability", nested<ApMatrixCapability, &ApMatrixCapability::mdev_types>());
    return type;
}

} // namespace vireo::nodedev
