// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/controller_def.hpp"

#include <array>

/// The guest's PCI buses while addresses are given out: what may be plugged where, what is taken.
namespace vireo::qemu {

/// Kinds of plug; a bus accepts some of them, a device is one or two of them.
enum PciPlug : unsigned {
    plug_pci_device = 1 << 0,
    plug_pcie_device = 1 << 1,
    plug_pcie_root_port = 1 << 2,
    plug_upstream_port = 1 << 3,
    plug_downstream_port = 1 << 4,
    plug_dmi_to_pci_bridge = 1 << 5,
    plug_pcie_to_pci_bridge = 1 << 6,
    plug_pci_expander_bus = 1 << 7,
    plug_pcie_expander_bus = 1 << 8,
    plug_pci_bridge = 1 << 9,
};

/// What a device asks of a slot.
struct PciNeed {
    /// PciPlug bits; 0: not a PCI device.
    unsigned plugs{};
    /// Only buses that take devices without being asked (not a PCI Express root, which takes
    /// integrated devices).
    bool autoassign{};
    /// Belongs on bus 0 and nowhere else.
    bool integrated{};
    /// May share a slot with its like, one function each.
    bool aggregates{};

    explicit operator bool() const { return plugs != 0; }
};

/// What a PCI controller of that model needs to be plugged itself.
PciNeed need_of(PciModel model);

class PciBuses {
  public:
    /// `growing`: a device that finds no slot gets a new bus, which the caller then adds as a
    /// controller; otherwise it is refused. `has_pcie_to_pci_bridge`: QEMU has that device.
    PciBuses(std::size_t count, bool growing, bool has_pcie_to_pci_bridge);

    void set_model(std::size_t bus, PciModel model);

    std::size_t size() const { return buses_.size(); }

    std::optional<PciModel> model(std::size_t bus) const { return buses_[bus].model; }

    /// Every slot of every bus has at least one function in use.
    bool full() const;
    bool slot_in_use(const PciAddress& at) const;
    /// Takes the function at `at`, which the document or the chipset asks for. Gives what is
    /// wrong (no such bus or slot, already taken, a plug that does not fit), or nothing.
    std::string reserve(const PciAddress& at, const PciNeed& need, bool by_user = true);
    /// Takes the first free slot that fits, and of it `function`. Throws config_unsupported when
    /// there is none and no bus can be added.
    PciAddress reserve_next(const PciNeed& need, uint32_t function = 0);

  private:
    struct Slot {
        uint8_t functions{};
        bool aggregate{};
    };

    struct Bus {
        std::optional<PciModel> model;
        unsigned accepts{};
        bool autoassign{};
        uint32_t min_slot{};
        uint32_t max_slot{};
        std::array<Slot, 32> slots{};
    };

    static bool fits(const Bus& bus, const PciAddress& at, const PciNeed& need, bool by_user);
    bool find_in(const Bus& bus, PciAddress& at, const PciNeed& need) const;
    void grow(PciAddress& at, const PciNeed& need);

    std::vector<Bus> buses_;
    bool growing_;
    bool has_pcie_to_pci_bridge_;
};

} // namespace vireo::qemu
