// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const InputDef& input, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "input '{}': {} is not supported",
                name_of(input.type),
                what);
}

const char* usb_driver(const InputDef& input) {
    switch (input.type) {
    case InputType::mouse:
        return "usb-mouse";
    case InputType::tablet:
        return "usb-tablet";
    case InputType::keyboard:
        return "usb-kbd";
    default:
        refuse(input, "bus 'usb'");
    }
}

const char* virtio_base(const InputDef& input) {
    switch (input.type) {
    case InputType::mouse:
        return "virtio-mouse";
    case InputType::tablet:
        return "virtio-tablet";
    case InputType::keyboard:
        return "virtio-keyboard";
    case InputType::passthrough:
        return "virtio-input-host";
    case InputType::evdev:
        break;
    }
    refuse(input, "bus 'virtio'");
}

const InputSource& source_of(const InputDef& input) {
    if (!input.source) {
        refuse(input, "an input without <source>");
    }
    return *input.source;
}

const std::string& device_node(const InputDef& input, const std::optional<std::string>& path) {
    if (!path) {
        refuse(input, "a <source> without a device node");
    }
    return *path;
}

json evdev_object(const InputDef& input) {
    const InputSource& source = source_of(input);
    json object = json::object();
    object["qom-type"] = "input-linux";
    object["id"] = alias_of(input.info);
    object["evdev"] = device_node(input, source.dev);
    if (source.repeat) {
        object["repeat"] = *source.repeat == OnOff::on;
    }
    if (source.grab) {
        object["grab_all"] = true;
    }
    if (source.grab_toggle) {
        object["grab-toggle"] = name_of(*source.grab_toggle);
    }
    return object;
}

} // namespace

Plan plan_input(const PlanContext& context, const InputDef& input) {
    Plan plan;
    if (input.type == InputType::evdev) {
        plan.push_back(object_step(evdev_object(input)));
        return plan;
    }
    json device = json::object();
    switch (input.bus.value_or(InputBus::ps2)) {
    case InputBus::ps2:
        return {};
    case InputBus::usb:
        device["driver"] = usb_driver(input);
        break;
    case InputBus::virtio:
        device["driver"] = virtio_device(
            virtio_base(input), input.info, input.model.value_or(VirtioModel::virtio));
        if (input.type == InputType::passthrough) {
            device["evdev"] = device_node(input, source_of(input).evdev);
        }
        add_virtio_options(device, input.virtio);
        break;
    default:
        refuse(input, fmt::format("bus '{}'", name_of(*input.bus)));
    }
    device["id"] = alias_of(input.info);
    add_address(context, device, input.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
