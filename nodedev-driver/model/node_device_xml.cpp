// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/nested_xml.hpp"
#include "nodedev-driver/model/node_device_parts_xml.hpp"

#include <algorithm>

namespace vireo::nodedev {

namespace {

/// Several of one name are one.
void parse_feature(NetCapability& net, const xml::Node& node, xml::Problems& problems) {
    NetFeature feature{};
    const std::string_view name = node.attribute("name").value_or("");
    const std::string problem = xml::Value<NetFeature>{}.parse(name, feature);
    if (!problem.empty()) {
        problems.add(node, fmt::format("attribute 'name': {} {}", xml::quoted(name), problem));
        return;
    }
    const auto place = std::ranges::lower_bound(net.features, feature);
    if (place == net.features.end() || *place != feature) {
        net.features.insert(place, feature);
    }
}

void write_features(const NetCapability& net, xml::Writer& writer) {
    for (const NetFeature feature : net.features) {
        writer.open("feature");
        writer.attribute("name", xml::name_of(feature));
        writer.close();
    }
}

void parse_devnode(NodeDevice& device, const xml::Node& node, xml::Problems& problems) {
    const std::string_view type = node.attribute("type").value_or("");
    if (type == "dev") {
        device.devnode = node.text();
    } else if (type == "link") {
        device.devlinks.push_back(node.text());
    } else {
        problems.add(
            node, fmt::format("attribute 'type': {} is not one of dev, link", xml::quoted(type)));
    }
}

void write_devnode(std::string_view type, const std::string& path, xml::Writer& writer) {
    writer.open("devnode");
    writer.attribute("type", type);
    writer.text(path);
    writer.close();
}

void write_devnodes(const NodeDevice& device, xml::Writer& writer) {
    if (device.devnode) {
        write_devnode("dev", *device.devnode, writer);
    }
    for (const std::string& link : device.devlinks) {
        write_devnode("link", link, writer);
    }
}

} // namespace

static const xml::Type& describe(const SystemCapability*) {
    static const xml::Type type = xml::element<SystemCapability>(
        "capability",
        known("product", &SystemCapability::product),
        xml::group("hardware",
                   known("vendor", &SystemCapability::vendor),
                   known("version", &SystemCapability::version),
                   known("serial", &SystemCapability::serial),
                   xml::text("uuid", &SystemCapability::uuid, xml::uuid).absent_is(""))
            .keep_empty(),
        xml::group("firmware",
                   known("vendor", &SystemCapability::firmware_vendor),
                   known("version", &SystemCapability::firmware_version),
                   known("release_date", &SystemCapability::firmware_date))
            .keep_empty());
    return type;
}

static const xml::Type& describe(const UsbDeviceCapability*) {
    static const xml::Type type =
        xml::element<UsbDeviceCapability>("capability",
                                          xml::text("bus", &UsbDeviceCapability::bus),
                                          xml::text("device", &UsbDeviceCapability::device),
                                          xml::child("product", &UsbDeviceCapability::product),
                                          xml::child("vendor", &UsbDeviceCapability::vendor));
    return type;
}

static const xml::Type& describe(const UsbInterfaceCapability*) {
    static const xml::Type type = xml::element<UsbInterfaceCapability>(
        "capability",
        xml::text("number", &UsbInterfaceCapability::number),
        xml::text("class", &UsbInterfaceCapability::class_code),
        xml::text("subclass", &UsbInterfaceCapability::subclass),
        xml::text("protocol", &UsbInterfaceCapability::protocol),
        known("description", &UsbInterfaceCapability::description));
    return type;
}

static const xml::Type& describe(const NetLink*) {
    static const xml::Type type =
        xml::element<NetLink>("link",
                              xml::attr("speed", &NetLink::speed_mbit).absent_is(0U),
                              xml::attr("state", &NetLink::state).optional());
    return type;
}

static const xml::Type& describe(const NetMedium*) {
    static const xml::Type type = xml::element<NetMedium>("capability", nested_type<NetMedium>());
    return type;
}

static const xml::Type& describe(const NetCapability*) {
    static const xml::Type type =
        xml::element<NetCapability>("capability",
                                    xml::text("interface", &NetCapability::interface),
                                    known("address", &NetCapability::address),
                                    xml::child(&NetCapability::link).omit_empty(),
                                    xml::custom<&parse_feature, &write_features>("feature"),
                                    nested<NetCapability, &NetCapability::medium>());
    return type;
}

static const xml::Type& describe(const DrmCapability*) {
    static const xml::Type type =
        xml::element<DrmCapability>("capability", xml::text("type", &DrmCapability::type));
    return type;
}

static const xml::Type& describe(const VdpaCapability*) {
    static const xml::Type type =
        xml::element<VdpaCapability>("capability", xml::text("chardev", &VdpaCapability::chardev));
    return type;
}

const xml::Type& describe(const NodeDevice*) {
    static const xml::Type type = xml::element<NodeDevice>(
        "device",
        xml::text("name", &NodeDevice::name),
        xml::text("path", &NodeDevice::path),
        xml::custom<&parse_devnode, &write_devnodes>("devnode"),
        xml::text("parent", &NodeDevice::parent),
        xml::group("driver", xml::text("name", &NodeDevice::driver)),
        xml::group("capability",
                   xml::kind<CapabilityType>("type", &NodeDevice::capability),
                   xml::one_of(&NodeDevice::capability)));
    return type;
}

} // namespace vireo::nodedev
