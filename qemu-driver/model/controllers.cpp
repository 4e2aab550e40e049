// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"

namespace vireo::qemu {

const ControllerDef* find_controller(const DomainDef& def, ControllerType type, uint32_t index) {
    for (const ControllerDef& c : def.devices.controllers) {
        if (c.type == type && c.index == index) {
            return &c;
        }
    }
    return nullptr;
}

bool has_pci_root(const DomainDef& def, PciModel model) {
    const ControllerDef* root = find_controller(def, ControllerType::pci, 0);
    return root != nullptr && root->is_pci(model);
}

void insert_controller(DomainDef& def, ControllerDef controller) {
    auto& list = def.devices.controllers;
    std::optional<std::size_t> at;
    for (std::size_t i = list.size(); i-- > 0;) {
        const ControllerDef& current = list[i];
        if (current.type != controller.type) {
            continue;
        }
        if (!controller.index) {
            at = i + 1; // its index comes later and moves nothing
            break;
        }
        // Companions of a USB controller stand behind it.
        const bool companion = !controller.master_start_port && current.master_start_port &&
                               current.index == controller.index;
        if (current.index > controller.index || companion) {
            at = i;
        } else if (!at) {
            at = i + 1;
        }
    }
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(at.value_or(list.size())),
                std::move(controller));
}

void append_controller(DomainDef& def, ControllerDef controller) {
    def.devices.controllers.push_back(std::move(controller));
}

void add_controller_if_missing(DomainDef& def, ControllerType type, uint32_t index) {
    if (find_controller(def, type, index) == nullptr) {
        ControllerDef added;
        added.type = type;
        added.index = index;
        append_controller(def, std::move(added));
    }
}

uint32_t free_controller_index(const DomainDef& def, ControllerType type) {
    uint32_t index = 0;
    while (find_controller(def, type, index) != nullptr) {
        ++index;
    }
    return index;
}

} // namespace vireo::qemu
