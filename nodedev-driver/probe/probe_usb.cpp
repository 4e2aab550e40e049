// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

namespace {

/// The name that udev found, else the hardware database's, else the device's own.
std::string name_of(const SysDevice& device,
                    const ProbeSources& sources,
                    const std::string& modalias,
                    const char* key,
                    const char* attribute) {
    std::string name = device.property(key);
    if (name.empty()) {
        name = sources.names(modalias, key);
    }
    return name.empty() ? device.text(attribute).value_or("") : name;
}

std::optional<NodeDevice> probe_usb_device(const ProbeSources& sources, const SysDevice& device) {
    const auto vendor = device.number("idVendor", 16);
    const auto product = device.number("idProduct", 16);
    const auto bus = device.number("busnum", 10);
    const auto number = device.number("devnum", 10);
    if (!vendor || !product || !bus || !number) {
        return std::nullopt;
    }
    UsbDeviceCapability usb;
    usb.bus = static_cast<uint32_t>(*bus);
    usb.device = static_cast<uint32_t>(*number);
    usb.vendor.id = static_cast<uint32_t>(*vendor);
    usb.product.id = static_cast<uint32_t>(*product);
    const std::string vendor_alias = fmt::format("usb:v{:04X}", usb.vendor.id);
    const std::string product_alias = fmt::format("{}p{:04X}", vendor_alias, usb.product.id);
    usb.vendor.name =
        name_of(device, sources, vendor_alias, "ID_VENDOR_FROM_DATABASE", "manufacturer");
    usb.product.name = name_of(device, sources, product_alias, "ID_MODEL_FROM_DATABASE", "product");
    NodeDevice node = base_device(device);
    node.capability = std::move(usb);
    return node;
}

std::optional<NodeDevice> probe_usb_interface(const SysDevice& device) {
    const auto number = device.number("bInterfaceNumber", 16);
    const auto class_code = device.number("bInterfaceClass", 16);
    const auto subclass = device.number("bInterfaceSubClass", 16);
    const auto protocol = device.number("bInterfaceProtocol", 16);
    if (!number || !class_code || !subclass || !protocol) {
        return std::nullopt;
    }
    UsbInterfaceCapability usb;
    usb.number = static_cast<uint32_t>(*number);
    usb.class_code = static_cast<uint32_t>(*class_code);
    usb.subclass = static_cast<uint32_t>(*subclass);
    usb.protocol = static_cast<uint32_t>(*protocol);
    NodeDevice node = base_device(device);
    node.capability = std::move(usb);
    return node;
}

} // namespace

std::optional<NodeDevice> probe_usb(const ProbeSources& sources, const SysDevice& device) {
    const std::string type = device.property("DEVTYPE");
    if (type == "usb_device") {
        return probe_usb_device(sources, device);
    }
    return type == "usb_interface" ? probe_usb_interface(device) : std::nullopt;
}

} // namespace vireo::nodedev
