// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

PciDeviceName device_of(PciModel model, const HostFacts& facts) {
    switch (model) {
    case PciModel::dmi_to_pci_bridge:
        return PciDeviceName::i82801b11_bridge;
    case PciModel::pcie_to_pci_bridge:
        return PciDeviceName::pcie_pci_bridge;
    case PciModel::pcie_root_port:
        return facts.qemu->has_type("pcie-root-port") ? PciDeviceName::pcie_root_port
                                                      : PciDeviceName::ioh3420;
    case PciModel::pcie_switch_upstream_port:
        return PciDeviceName::x3130_upstream;
    case PciModel::pcie_switch_downstream_port:
        return PciDeviceName::xio3130_downstream;
    case PciModel::pci_expander_bus:
        return PciDeviceName::pxb;
    case PciModel::pcie_expander_bus:
        return PciDeviceName::pxb_pcie;
    default:
        return PciDeviceName::pci_bridge;
    }
}

/// The bus number of a new expander: two below the lowest one, as it holds a bridge of its own.
uint32_t free_bus_number(const Devices& devices, const ControllerDef& expander) {
    uint32_t lowest = 256;
    for (const ControllerDef& c : devices.controllers) {
        if (c.type == ControllerType::pci && c.target.bus_nr) {
            lowest = std::min(lowest, *c.target.bus_nr);
        }
    }
    if (lowest <= 2) {
        refuse(expander.info.where,
               "controller",
               "no bus number is left below {}; set busNr of the expander buses",
               lowest);
    }
    return lowest - 2;
}

} // namespace

void mark_multifunction(Devices& devices) {
    for_each_device(devices, [&](const auto& device) {
        const PciAddress* at = device.info.pci();
        if (at == nullptr || at->function == 0) {
            return;
        }
        const PciAddress first{.domain = at->domain,
                               .bus = at->bus,
                               .slot = at->slot,
                               .function = 0,
                               .multifunction = {}};
        for_each_device(devices, [&](auto& other) {
            auto* other_at = std::get_if<PciAddress>(&other.info.address);
            if (other_at != nullptr && same_place(*other_at, first) && !other_at->multifunction) {
                other_at->multifunction = OnOff::on;
            }
        });
    });
}

void fill_pci_targets(DomainDef& def, const HostFacts& facts) {
    for (ControllerDef& c : def.devices.controllers) {
        const auto model = c.type == ControllerType::pci ? c.model_as<PciModel>() : std::nullopt;
        if (!model || model == PciModel::pci_root || model == PciModel::pcie_root) {
            continue;
        }
        if (!c.pci_device) {
            c.pci_device = device_of(*model, facts);
        }
        const PciAddress at = c.info.pci() != nullptr ? *c.info.pci() : PciAddress{};
        switch (*model) {
        case PciModel::pci_bridge:
            c.target.chassis_nr = c.target.chassis_nr.value_or(*c.index);
            break;
        case PciModel::pcie_root_port:
            c.target.chassis = c.target.chassis.value_or(*c.index);
            c.target.port = c.target.port.value_or((at.slot << 3) + at.function);
            break;
        case PciModel::pcie_switch_downstream_port:
            c.target.chassis = c.target.chassis.value_or(*c.index);
            c.target.port = c.target.port.value_or(at.slot);
            break;
        case PciModel::pci_expander_bus:
        case PciModel::pcie_expander_bus:
            if (!c.target.bus_nr) {
                c.target.bus_nr = free_bus_number(def.devices, c);
            }
            break;
        default:
            break;
        }
        if (model == PciModel::pci_bridge && *c.index <= at.bus) {
            refuse(c.info.where,
                   "controller",
                   "a PCI controller must have a higher index than the bus it is plugged into: "
                   "index '{}' is on bus {:#04x}",
                   *c.index,
                   at.bus);
        }
    }
}

} // namespace vireo::qemu
