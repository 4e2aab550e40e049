// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/redirdev_def.hpp"
#include "qemu-driver/model/xml_codecs.hpp"

namespace vireo::qemu {

namespace {

/// Hexadecimal, or -1 for any.
template <int32_t Max, int Width>
struct HexOrAny {
    std::string parse(std::string_view text, int32_t& out) const {
        out = -1;
        if (text == "-1") {
            return {};
        }
        uint32_t value = 0;
        std::string wrong = xml::any_base.parse(text, value);
        if (wrong.empty() && value > static_cast<uint32_t>(Max)) {
            wrong = fmt::format("is not a number up to {:#x}, or -1", Max);
        }
        out = static_cast<int32_t>(value);
        return wrong;
    }

    void format(const int32_t& value, std::string& out) const {
        out += value < 0 ? "-1" : fmt::format("0x{:0{}X}", value, Width);
    }
};

/// A device's release number, binary coded decimal with two places: 1.1 is 1.10. -1 for any.
struct UsbVersion {
    std::string parse(std::string_view text, std::string& out) const {
        if (text == "-1") {
            out = std::string(text);
            return {};
        }
        uint32_t major = 0, minor = 0;
        const auto dot = std::min(text.find('.'), text.size());
        const std::string_view places = text.substr(std::min(dot + 1, text.size()));
        if (!xml::Value<uint32_t>{}.parse(text.substr(0, dot), major).empty() || major > 99 ||
            !xml::Value<uint32_t>{}.parse(places, minor).empty() || places.size() > 2) {
            return "is not a USB version like 2.00, or -1";
        }
        out = fmt::format("{}.{:02}", major, places.size() == 1 ? minor * 10 : minor);
        return {};
    }

    void format(const std::string& value, std::string& out) const { out += value; }
};

using ByteOrAny = HexOrAny<0xff, 2>;
using WordOrAny = HexOrAny<0xffff, 4>;

} // namespace

const xml::Type& describe(const RedirdevDef*) {
    static const xml::Type type = xml::element<RedirdevDef>("redirdev",
                                                            xml::attr("bus", &RedirdevDef::bus),
                                                            xml::embed(&RedirdevDef::source),
                                                            xml::embed(&RedirdevDef::info));
    return type;
}

static const xml::Type& describe(const RedirfilterRule*) {
    static const xml::Type type =
        xml::element<RedirfilterRule>("usbdev",
                                      xml::attr("class", &RedirfilterRule::usb_class, ByteOrAny{}),
                                      xml::attr("vendor", &RedirfilterRule::vendor, WordOrAny{}),
                                      xml::attr("product", &RedirfilterRule::product, WordOrAny{}),
                                      xml::attr("version", &RedirfilterRule::version, UsbVersion{}),
                                      xml::attr("allow", &RedirfilterRule::allow));
    return type;
}

const xml::Type& describe(const RedirfilterDef*) {
    static const xml::Type type =
        xml::element<RedirfilterDef>("redirfilter", xml::child(&RedirfilterDef::rules));
    return type;
}

} // namespace vireo::qemu
