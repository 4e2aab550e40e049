// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/new_device.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

#include <algorithm>

namespace vireo::nodedev {

namespace {

struct Wwn {
    std::string parse(std::string_view text, std::string& out) const {
        out.assign(text);
        return is_wwn(text) ? "" : "is no World Wide Name of 16 hexadecimal digits";
    }

    void format(const std::string& value, std::string& out) const { out += value; }
};

} // namespace

static const xml::Type& describe(const NewDeviceParent*) {
    static const xml::Type type = xml::element<NewDeviceParent>(
        "parent",
        xml::attr("wwnn", &NewDeviceParent::wwnn, Wwn{}).absent_is(""),
        xml::attr("wwpn", &NewDeviceParent::wwpn, Wwn{}).absent_is(""),
        xml::attr("fabric_wwn", &NewDeviceParent::fabric_wwn, Wwn{}).absent_is(""),
        xml::content(&NewDeviceParent::name).optional());
    return type;
}

static const xml::Type& describe(const NewVport*) {
    static const xml::Type type =
        xml::element<NewVport>("capability",
                               nested_type<NewVport>(),
                               xml::text("wwnn", &NewVport::wwnn, Wwn{}).absent_is(""),
                               xml::text("wwpn", &NewVport::wwpn, Wwn{}).absent_is(""));
    return type;
}

static const xml::Type& describe(const NewScsiHost*) {
    static const xml::Type type =
        xml::element<NewScsiHost>("capability", nested<NewScsiHost, &NewScsiHost::vport>());
    return type;
}

const xml::Type& describe(const NewDevice*) {
    static const xml::Type type =
        xml::element<NewDevice>("device",
                                xml::child(&NewDevice::parent).omit_empty(),
                                xml::group("capability",
                                           xml::kind<NewDeviceKind>("type", &NewDevice::capability),
                                           xml::one_of(&NewDevice::capability)));
    return type;
}

NewDevice parse_new_device(std::string_view text, bool strict) {
    xml::ParseOptions options;
    options.unknown = strict ? xml::Unknown::refuse : xml::Unknown::report;
    return xml::parse<NewDevice>(text, options);
}

bool is_wwn(std::string_view name) {
    constexpr size_t digits = 16;
    return name.size() == digits && std::ranges::all_of(name, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
           });
}

} // namespace vireo::nodedev
