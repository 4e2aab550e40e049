// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

json guest_side(const char* driver, const std::string& alias) {
    json device = json::object();
    device["driver"] = driver;
    device["chardev"] = "char" + alias;
    device["id"] = alias;
    return device;
}

const char* serial_driver(const SerialDef& serial) {
    switch (serial.target_model.value_or(SerialTargetModel::isa_serial)) {
    case SerialTargetModel::usb_serial:
        return "usb-serial";
    case SerialTargetModel::pci_serial:
        return "pci-serial";
    case SerialTargetModel::isa_debugcon:
        return "isa-debugcon";
    case SerialTargetModel::isa_serial:
        break;
    }
    return "isa-serial";
}

} // namespace

Plan plan_serial(const PlanContext& context, const SerialDef& serial) {
    const std::string& alias = alias_of(serial.info);
    const char* driver = serial_driver(serial);
    require_type(context, driver, fmt::format("serial '{}'", alias));
    Plan plan = plan_chardev(context, serial.source, alias);
    json device = guest_side(driver, alias);
    if (std::string_view(driver) == "isa-serial") {
        device["index"] = serial.target_port.value_or(0);
    }
    add_address(context, device, serial.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_parallel(const PlanContext& context, const ParallelDef& parallel) {
    const std::string& alias = alias_of(parallel.info);
    Plan plan = plan_chardev(context, parallel.source, alias);
    json device = guest_side("isa-parallel", alias);
    add_address(context, device, parallel.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_console(const PlanContext& context, const ConsoleDef& console) {
    switch (console.target_type.value_or(ConsoleTargetType::serial)) {
    case ConsoleTargetType::serial:
        return {};
    case ConsoleTargetType::virtio:
        break;
    default:
        throw Error(ErrorCode::config_unsupported,
                    "console target type '{}' is not supported",
                    name_of(*console.target_type));
    }
    const std::string& alias = alias_of(console.info);
    Plan plan = plan_chardev(context, console.source, alias);
    json device = guest_side("virtconsole", alias);
    // QEMU finds a port on the first controller by itself, port 0 for the first console; libvirt
    // leaves it so, and a guest that migrates from there must look the same.
    const VirtioSerialAddress* at = console.info.virtio_serial();
    if (at != nullptr && at->controller != 0) {
        add_address(context, device, console.info);
    }
    plan.push_back(device_step(std::move(device)));
    return plan;
}

Plan plan_channel(const PlanContext& context, const ChannelDef& channel) {
    const std::string& alias = alias_of(channel.info);
    const std::string socket = channel.target_name.value_or(alias);
    if (socket.find('/') != std::string::npos) {
        throw Error(ErrorCode::config_unsupported, "channel target name '{}' has a slash", socket);
    }
    Plan plan = plan_chardev(context, channel.source, alias, socket);
    if (channel.target_type == ChannelTargetType::guestfwd) {
        json forward = json::object();
        forward["str"] = fmt::format("tcp:{}:{}-chardev:char{}",
                                     channel.target_address.value_or(""),
                                     channel.target_port.value_or(0),
                                     alias);
        json netdev = json::object();
        netdev["type"] = "user";
        netdev["id"] = alias;
        netdev["guestfwd"] = json::array({std::move(forward)});
        plan.push_back(netdev_step(std::move(netdev)));
        return plan;
    }
    if (channel.target_type != ChannelTargetType::virtio) {
        throw Error(ErrorCode::config_unsupported,
                    "channel target type '{}' is not supported",
                    name_of(channel.target_type));
    }
    json device = guest_side("virtserialport", alias);
    if (channel.target_name) {
        device["name"] = *channel.target_name;
    } else if (channel.source.type() == ChardevType::spicevmc) {
        device["name"] = "com.redhat.spice.0";
    }
    add_address(context, device, channel.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
