// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/fill_defaults.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

/// UHCI companions of the chipset's EHCI drive its ports in pairs.
void fill_companion(ControllerDef& c) {
    const auto model = c.type == ControllerType::usb ? c.model_as<UsbModel>() : std::nullopt;
    if (!model || c.master_start_port) {
        return;
    }
    if (*model >= UsbModel::ich9_uhci1 && *model <= UsbModel::ich9_uhci3) {
        c.master_start_port =
            2 * (static_cast<uint32_t>(*model) - static_cast<uint32_t>(UsbModel::ich9_uhci1));
    }
}

bool is_usb2_host(const ControllerDef& c) {
    const auto model = c.type == ControllerType::usb ? c.model_as<UsbModel>() : std::nullopt;
    return model >= UsbModel::ich9_ehci1 && model <= UsbModel::ich9_uhci3;
}

/// A USB 2 controller belongs to the set that the USB controller before it is of, unless that has
/// one of its model.
std::optional<uint32_t> usb2_index(const std::vector<ControllerDef>& list, std::size_t at) {
    const auto is_usb = [](const ControllerDef& c) { return c.type == ControllerType::usb; };
    const auto before =
        std::find_if(list.rend() - static_cast<std::ptrdiff_t>(at), list.rend(), is_usb);
    if (!is_usb2_host(list[at]) || before == list.rend() || !is_usb2_host(*before)) {
        return std::nullopt;
    }
    const auto twin = [&](const ControllerDef& c) {
        return is_usb2_host(c) && c.index == before->index && c.model == list[at].model;
    };
    return std::ranges::any_of(list, twin) ? std::nullopt : before->index;
}

} // namespace

void fill_controller_indexes(DomainDef& def) {
    std::vector<ControllerDef> given = std::move(def.devices.controllers);
    def.devices.controllers.clear();
    for (ControllerDef& c : given) {
        fill_companion(c);
        insert_controller(def, std::move(c));
    }
    std::vector<ControllerDef>& list = def.devices.controllers;
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (!list[i].index) {
            const auto shared = usb2_index(list, i);
            list[i].index = shared ? *shared : free_controller_index(def, list[i].type);
        }
    }
}

} // namespace vireo::qemu
