// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

namespace vireo::nodedev {

namespace {

/// A device number: hexadecimal with or without 0x.
struct DeviceNumber {
    std::string parse(std::string_view text, uint32_t& out) const {
        const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
        uint64_t wide = 0;
        std::string problem =
            xml::detail::parse_number(prefixed ? text.substr(2) : text, 16, UINT32_MAX, wide);
        out = static_cast<uint32_t>(wide);
        return problem;
    }

    void format(const uint32_t& value, std::string& out) const { xml::hex<4>.format(value, out); }
};

} // namespace

static const xml::Type& describe(const CcwAddress*) {
    static const xml::Type type =
        xml::element<CcwAddress>("address",
                                 xml::text("cssid", &CcwAddress::cssid, xml::hex<1>),
                                 xml::text("ssid", &CcwAddress::ssid, xml::hex<1>),
                                 xml::text("devno", &CcwAddress::devno, DeviceNumber{}));
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
        "capability", xml::text("ap-adapter", &ApCardCapability::adapter, xml::hex<2>));
    return type;
}

const xml::Type& describe(const ApQueueCapability*) {
    static const xml::Type type = xml::element<ApQueueCapability>(
        "capability",
        xml::text("ap-adapter", &ApQueueCapability::adapter, xml::hex<2>),
        xml::text("ap-domain", &ApQueueCapability::domain, xml::hex<4>));
    return type;
}

const xml::Type& describe(const ApMatrixCapability*) {
    static const xml::Type type = xml::element<ApMatrixCapability>(
        "capability", nested<ApMatrixCapability, &ApMatrixCapability::mdev_types>());
    return type;
}

} // namespace vireo::nodedev
