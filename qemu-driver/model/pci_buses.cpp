// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/pci_buses.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr unsigned endpoint_plugs = plug_pci_device | plug_pcie_device;

std::string text_of(const PciAddress& at) {
    return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", at.domain, at.bus, at.slot, at.function);
}

} // namespace

PciNeed need_of(PciModel model) {
    switch (model) {
    case PciModel::pci_root:
    case PciModel::pcie_root:
        return {};
    case PciModel::pci_bridge:
        return {.plugs = plug_pci_bridge};
    case PciModel::dmi_to_pci_bridge:
        return {.plugs = plug_dmi_to_pci_bridge};
    case PciModel::pcie_to_pci_bridge:
        return {.plugs = plug_pcie_to_pci_bridge};
    case PciModel::pcie_root_port:
        return {.plugs = plug_pcie_root_port, .aggregates = true};
    case PciModel::pcie_switch_upstream_port:
        return {.plugs = plug_upstream_port};
    case PciModel::pcie_switch_downstream_port:
        return {.plugs = plug_downstream_port};
    case PciModel::pci_expander_bus:
        return {.plugs = plug_pci_expander_bus};
    case PciModel::pcie_expander_bus:
        return {.plugs = plug_pcie_expander_bus};
    }
    return {};
}

PciBuses::PciBuses(std::size_t count, bool growing, bool has_pcie_to_pci_bridge)
    : buses_(count), growing_(growing), has_pcie_to_pci_bridge_(has_pcie_to_pci_bridge) {}

void PciBuses::set_model(std::size_t index, PciModel model) {
    Bus& bus = buses_[index];
    bus.model = model;
    bus.min_slot = 0;
    bus.max_slot = 31;
    switch (model) {
    case PciModel::pci_root:
        bus.accepts = plug_pci_device | plug_pci_bridge | plug_pci_expander_bus;
        bus.min_slot = 1;
        bus.autoassign = true;
        break;
    case PciModel::pci_bridge:
    case PciModel::pcie_to_pci_bridge:
        bus.accepts = plug_pci_device | plug_pci_bridge;
        bus.min_slot = 1; // slot 0 is its hot-plug controller's
        bus.autoassign = true;
        break;
    case PciModel::pci_expander_bus:
        bus.accepts = plug_pci_device | plug_pci_bridge;
        bus.autoassign = true;
        break;
    case PciModel::pcie_root:
        bus.accepts = plug_pcie_device | plug_pcie_root_port | plug_dmi_to_pci_bridge |
                      plug_pcie_expander_bus;
        bus.min_slot = 1;
        bus.autoassign = false;
        break;
    case PciModel::dmi_to_pci_bridge:
        bus.accepts = plug_pci_device | plug_pci_bridge;
        bus.autoassign = false;
        break;
    case PciModel::pcie_root_port:
    case PciModel::pcie_switch_downstream_port:
        bus.accepts = plug_pcie_device | plug_upstream_port | plug_pcie_to_pci_bridge;
        bus.max_slot = 0;
        bus.autoassign = true;
        break;
    case PciModel::pcie_switch_upstream_port:
        bus.accepts = plug_downstream_port;
        bus.autoassign = false;
        break;
    case PciModel::pcie_expander_bus:
        bus.accepts = plug_pcie_root_port | plug_dmi_to_pci_bridge;
        bus.autoassign = false;
        break;
    }
}

bool PciBuses::full() const {
    return std::ranges::all_of(buses_, [](const Bus& bus) {
        for (uint32_t slot = bus.min_slot; slot <= bus.max_slot; ++slot) {
            if (bus.slots[slot].functions == 0) {
                return false;
            }
        }
        return true;
    });
}

bool PciBuses::slot_in_use(const PciAddress& at) const {
    return at.bus < buses_.size() && at.slot < 32 && buses_[at.bus].slots[at.slot].functions != 0;
}

bool PciBuses::fits(const Bus& bus, const PciAddress& at, const PciNeed& need, bool by_user) {
    unsigned accepts = bus.accepts;
    unsigned plugs = need.plugs;
    bool autoassign = bus.autoassign;
    if (need.integrated) {
        if (at.bus != 0) {
            return false;
        }
        autoassign = true;
    }
    if (by_user) {
        // Express and conventional devices go into each other's slots if one says so.
        if ((accepts & endpoint_plugs) != 0) {
            accepts |= endpoint_plugs;
        }
        if ((plugs & plug_pci_bridge) != 0) {
            plugs |= plug_pci_device;
        }
    } else if (need.autoassign && !autoassign) {
        return false;
    }
    return (accepts & plugs) != 0;
}

std::string PciBuses::reserve(const PciAddress& at, const PciNeed& need, bool by_user) {
    if (growing_ && at.bus >= buses_.size()) {
        PciAddress grown = at;
        grow(grown, need);
    }
    if (at.domain != 0) {
        return fmt::format("PCI address {}: only domain 0 is there", text_of(at));
    }
    if (at.bus >= buses_.size()) {
        return fmt::format(
            "PCI address {}: only buses up to {} are there", text_of(at), buses_.size() - 1);
    }
    Bus& bus = buses_[at.bus];
    if (!fits(bus, at, need, by_user)) {
        return fmt::format("PCI address {}: the device does not fit into the PCI controller with "
                           "index '{}' and model '{}'",
                           text_of(at),
                           at.bus,
                           bus.model ? name_of(*bus.model) : "none");
    }
    if (at.slot < bus.min_slot || at.slot > bus.max_slot) {
        return fmt::format("PCI address {}: that bus has the slots {} to {}",
                           text_of(at),
                           bus.min_slot,
                           bus.max_slot);
    }
    if (at.function > 7) {
        return fmt::format("PCI address {}: a slot has the functions 0 to 7", text_of(at));
    }
    Slot& slot = bus.slots[at.slot];
    const auto bit = static_cast<uint8_t>(1U << at.function);
    if ((slot.functions & bit) != 0) {
        return fmt::format("PCI address {} is used twice", text_of(at));
    }
    if (slot.functions == 0 && need.aggregates) {
        slot.aggregate = true;
    }
    slot.functions = static_cast<uint8_t>(slot.functions | bit);
    return {};
}

bool PciBuses::find_in(const Bus& bus, PciAddress& at, const PciNeed& need) const {
    if (!fits(bus, at, need, false)) {
        return false;
    }
    for (at.slot = bus.min_slot; at.slot <= bus.max_slot; ++at.slot) {
        const Slot& slot = bus.slots[at.slot];
        if (slot.functions == 0) {
            return true;
        }
        if (!need.aggregates || !slot.aggregate) {
            continue;
        }
        for (uint32_t function = at.function; function < 8; ++function) {
            if ((slot.functions & (1U << function)) == 0) {
                at.function = function;
                return true;
            }
        }
    }
    return false;
}

PciAddress PciBuses::reserve_next(const PciNeed& need, uint32_t function) {
    PciAddress at;
    bool found = false;
    for (at.bus = 0; at.bus < buses_.size() && !found; ++at.bus) {
        at.function = function;
        found = find_in(buses_[at.bus], at, need);
        if (found) {
            break;
        }
    }
    if (!found) {
        if (!growing_) {
            throw Error(ErrorCode::config_unsupported, "no PCI slot is left for all devices");
        }
        at.function = function;
        grow(at, need);
        at.slot = buses_[at.bus].min_slot;
    }
    const std::string wrong = reserve(at, need, false);
    if (!wrong.empty()) {
        throw Error(ErrorCode::internal, "{}", wrong);
    }
    return at;
}

void PciBuses::grow(PciAddress& at, const PciNeed& need) {
    std::size_t add = at.bus - buses_.size() + 1;
    std::size_t next = buses_.size();
    bool needs_bridge = false;
    PciModel model{};
    if ((need.plugs & plug_pci_device) != 0) {
        model = PciModel::pci_bridge;
        needs_bridge = std::ranges::none_of(
            buses_, [](const Bus& bus) { return (bus.accepts & plug_pci_bridge) != 0; });
        if (needs_bridge && add == 1) {
            ++add; // no place for a bridge yet: one more controller to plug it into
            ++at.bus;
        }
    } else if ((need.plugs & (plug_pcie_device | plug_upstream_port)) != 0) {
        model = PciModel::pcie_root_port;
    } else {
        throw Error(ErrorCode::config_unsupported,
                    "no PCI slot is left for a PCI controller, and no bus that could take it can "
                    "be added automatically: add the PCI controllers to the document");
    }
    constexpr std::size_t most = 256;
    if (buses_.size() + add > most) {
        throw Error(ErrorCode::config_unsupported, "more than {} PCI buses are needed", most);
    }
    buses_.resize(buses_.size() + add);
    if (needs_bridge && has_pcie_to_pci_bridge_) {
        // The port is for this bridge alone, a spare one for hot-plug comes besides.
        set_model(next, PciModel::pcie_root_port);
        buses_[next].accepts = plug_pcie_to_pci_bridge;
        buses_[next].autoassign = false;
        ++next;
        set_model(next, PciModel::pcie_to_pci_bridge);
        ++next;
    } else if (needs_bridge) {
        set_model(next, PciModel::dmi_to_pci_bridge);
        ++next;
    }
    for (; next < buses_.size(); ++next) {
        set_model(next, model);
    }
}

} // namespace vireo::qemu
