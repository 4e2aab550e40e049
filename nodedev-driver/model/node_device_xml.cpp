// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/binding.hpp"
#include "nodedev-driver/model/node_device.hpp"
#include "nodedev-driver/model/pci_capability_xml.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

namespace {

/// A further capability inside the main one: `<capability type='WORD'>`.
std::string_view type_of(const xml::Node& node) {
    return node.attribute("type").value_or("");
}

void unknown_type(const xml::Node& node, xml::Problems& problems) {
    problems.add(node.line(),
                 node.path(),
                 fmt::format("attribute 'type': {} is not known here", xml::quoted(type_of(node))));
}

uint64_t number_in(const xml::Node& parent, std::string_view name, xml::Problems& problems) {
    uint64_t value = 0;
    const auto node = parent.child(name);
    const std::string problem =
        node ? xml::detail::parse_number(node->text(), 10, UINT64_MAX, value) : std::string();
    if (!problem.empty()) {
        problems.add(node->line(), node->path(), problem);
    }
    return value;
}

void parse_storage_part(StorageCapability& storage,
                        const xml::Node& node,
                        xml::Problems& problems) {
    if (type_of(node) == "hotpluggable") {
        storage.hotpluggable = true;
        return;
    }
    if (type_of(node) != "removable") {
        unknown_type(node, problems);
        return;
    }
    RemovableMedia media;
    media.available = number_in(node, "media_available", problems) != 0;
    if (const auto label = node.child("media_label")) {
        media.label = label->text();
    }
    storage.size = number_in(node, "media_size", problems);
    storage.logical_block_size = number_in(node, "logical_block_size", problems);
    storage.num_blocks = number_in(node, "num_blocks", problems);
    storage.removable = std::move(media);
}

void write_number(xml::Writer& writer, std::string_view name, uint64_t value) {
    writer.element(name, fmt::format("{}", value));
}

void write_blocks(const StorageCapability& storage, xml::Writer& writer) {
    if (storage.logical_block_size != 0) {
        write_number(writer, "logical_block_size", storage.logical_block_size);
    }
    if (storage.num_blocks != 0) {
        write_number(writer, "num_blocks", storage.num_blocks);
    }
}

void write_storage_parts(const StorageCapability& storage, xml::Writer& writer) {
    if (storage.removable) {
        writer.open("capability");
        writer.attribute("type", "removable");
        write_number(writer, "media_available", storage.removable->available ? 1 : 0);
        write_number(writer, "media_size", storage.size);
        if (!storage.removable->label.empty()) {
            writer.element("media_label", storage.removable->label);
        }
        write_blocks(storage, writer);
        writer.close();
    }
    if (storage.hotpluggable) {
        writer.open("capability");
        writer.attribute("type", "hotpluggable");
        writer.close();
    }
}

void parse_net_part(NetCapability& net, const xml::Node& node, xml::Problems& problems) {
    net.wireless = type_of(node) == "80211";
    if (!net.wireless && type_of(node) != "80203") {
        unknown_type(node, problems);
    }
}

void write_net_part(const NetCapability& net, xml::Writer& writer) {
    writer.open("capability");
    writer.attribute("type", net.wireless ? "80211" : "80203");
    writer.close();
}

void parse_feature(NetCapability& net, const xml::Node& node, xml::Problems&) {
    net.features.emplace_back(node.attribute("name").value_or(""));
}

void write_features(const NetCapability& net, xml::Writer& writer) {
    for (const std::string& feature : net.features) {
        writer.open("feature");
        writer.attribute("name", feature);
        writer.close();
    }
}

void parse_devnode(NodeDevice& device, const xml::Node& node, xml::Problems& problems) {
    if (type_of(node) == "dev") {
        device.devnode = node.text();
    } else if (type_of(node) == "link") {
        device.devlinks.push_back(node.text());
    } else {
        unknown_type(node, problems);
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

/// An element that is absent where the text is empty.
template <class C>
auto known(std::string_view name, std::string C::*member) {
    return xml::text(name, member).absent_is("");
}

template <class C>
auto known(std::string_view name, uint64_t C::*member) {
    return xml::text(name, member).absent_is(0U);
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
                   known("uuid", &SystemCapability::uuid)),
        xml::group("firmware",
                   known("vendor", &SystemCapability::firmware_vendor),
                   known("version", &SystemCapability::firmware_version),
                   known("release_date", &SystemCapability::firmware_date)));
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
                              xml::attr("state", &NetLink::state).absent_is(""));
    return type;
}

static const xml::Type& describe(const NetCapability*) {
    static const xml::Type type =
        xml::element<NetCapability>("capability",
                                    xml::text("interface", &NetCapability::interface),
                                    known("address", &NetCapability::address),
                                    xml::child(&NetCapability::link).omit_empty(),
                                    xml::custom<&parse_feature, &write_features>("feature"),
                                    xml::custom<&parse_net_part, &write_net_part>("capability"));
    return type;
}

static const xml::Type& describe(const StorageCapability*) {
    constexpr auto fixed = [](const StorageCapability& storage) { return !storage.removable; };
    static const xml::Type type = xml::element<StorageCapability>(
        "capability",
        xml::text("block", &StorageCapability::block),
        known("bus", &StorageCapability::bus),
        known("drive_type", &StorageCapability::drive_type),
        known("model", &StorageCapability::model),
        known("vendor", &StorageCapability::vendor),
        known("serial", &StorageCapability::serial),
        known("size", &StorageCapability::size).write_if(fixed),
        known("logical_block_size", &StorageCapability::logical_block_size).write_if(fixed),
        known("num_blocks", &StorageCapability::num_blocks).write_if(fixed),
        xml::custom<&parse_storage_part, &write_storage_parts>("capability"));
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
