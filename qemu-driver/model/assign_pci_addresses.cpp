// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/pci_needs.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

constexpr PciAddress piix3_ide{
    .domain = 0, .bus = 0, .slot = 1, .function = 1, .multifunction = {}};
constexpr PciAddress piix3_usb{
    .domain = 0, .bus = 0, .slot = 1, .function = 2, .multifunction = {}};
constexpr PciAddress ich9_sata{
    .domain = 0, .bus = 0, .slot = 0x1f, .function = 2, .multifunction = {}};

PciAddress at_slot(uint32_t slot, uint32_t function = 0) {
    return {.domain = 0, .bus = 0, .slot = slot, .function = function, .multifunction = {}};
}

bool is_set(const DeviceInfo& info) {
    return info.pci() != nullptr && info.pci()->is_set();
}

/// No address yet, or "some PCI address".
bool is_wanted(const DeviceInfo& info) {
    return std::holds_alternative<std::monostate>(info.address) ||
           (info.pci() != nullptr && !info.pci()->is_set());
}

bool is_usb2(const ControllerDef& c) {
    const auto model = c.type == ControllerType::usb ? c.model_as<UsbModel>() : std::nullopt;
    return model >= UsbModel::ich9_ehci1 && model <= UsbModel::ich9_uhci3;
}

bool is_piix3_usb(const ControllerDef& c) {
    return c.type == ControllerType::usb && c.index == 0 &&
           c.model_as<UsbModel>() == UsbModel::piix3_uhci;
}

bool is_first(const ControllerDef& c, ControllerType type) {
    return c.type == type && c.index == 0;
}

/// One go over the whole guest; the first only counts the buses that are needed.
class PciPlacement {
  public:
    PciPlacement(DomainDef& def, const HostFacts& facts, std::size_t buses, bool counting)
        : def_(def),
          devices_(def.devices),
          needs_{.express = has_pci_root(def, PciModel::pcie_root)},
          buses_(buses, counting, facts.qemu->has_type("pcie-pci-bridge")),
          counting_(counting) {
        set_models();
        take_given();
    }

    PciBuses& buses() { return buses_; }

    const PciNeeds& needs() const { return needs_; }

    void place_chipset() {
        if (def_.os.is_i440fx()) {
            place_i440fx();
        }
        if (def_.os.is_q35()) {
            place_q35();
        }
    }

    void place_devices();

    template <class D>
    void place(D& device) {
        const PciNeed need = needs_.of(device);
        if (need && is_wanted(device.info)) {
            set(device.info, buses_.reserve_next(need));
        }
    }

  private:
    void set_models() {
        for (const ControllerDef& c : devices_.controllers) {
            if (c.type == ControllerType::pci) {
                buses_.set_model(*c.index, c.model_as<PciModel>().value_or(PciModel::pci_bridge));
            }
        }
        const PciModel filler = needs_.express ? PciModel::pcie_root_port : PciModel::pci_bridge;
        for (std::size_t i = 1; i < buses_.size(); ++i) {
            if (!buses_.model(i)) {
                buses_.set_model(i, filler);
            }
        }
    }

    /// Everything whose place the document gives.
    void take_given() {
        for_each_device(devices_, [&](auto& device) {
            if (is_set(device.info) && !is_piix3_part(device)) {
                PciNeed need = needs_.of(device);
                if (!need) {
                    need = {.plugs = plug_pci_device};
                }
                take(device.info, need);
            }
        });
    }

    /// The chipset's own functions are taken by place_i440fx().
    template <class D>
    static bool is_piix3_part(const D& device) {
        if constexpr (std::is_same_v<std::remove_const_t<D>, ControllerDef>) {
            const PciAddress& at = *device.info.pci();
            return (is_first(device, ControllerType::ide) && same_place(at, piix3_ide)) ||
                   (is_piix3_usb(device) && same_place(at, piix3_usb));
        } else {
            return false;
        }
    }

    void take(const DeviceInfo& info, const PciNeed& need) { take(*info.pci(), need, info.where); }

    void take(const PciAddress& at, const PciNeed& need, xml::Where where) {
        const std::string wrong = buses_.reserve(at, need);
        if (!wrong.empty()) {
            refuse(where, "address", "{}; give one of the devices another place", wrong);
        }
    }

    /// A first look must leave no mark on the definition: the second one decides.
    void set(DeviceInfo& info, const PciAddress& at) {
        if (!counting_) {
            info.address = at;
        }
    }

    void fix(ControllerDef& c, const PciAddress& at, std::string_view what) {
        if (!is_set(c.info)) {
            c.info.address = at;
        } else if (!same_place(*c.info.pci(), at)) {
            refuse(c.info.where,
                   "controller",
                   "{} is part of the chipset, its PCI address must be 0000:00:{:02x}.{:x}",
                   what,
                   at.slot,
                   at.function);
        }
    }

    void place_i440fx();
    void place_q35();
    void place_first_video(uint32_t slot, const PciNeed& chipset);
    void place_usb2(ControllerDef& c);

    DomainDef& def_;
    Devices& devices_;
    PciNeeds needs_;
    PciBuses buses_;
    bool counting_;
};

void PciPlacement::place_i440fx() {
    const PciNeed chipset = needs_.pci();
    for (ControllerDef& c : devices_.controllers) {
        if (is_first(c, ControllerType::ide)) {
            fix(c, piix3_ide, "the first IDE controller");
        } else if (is_piix3_usb(c)) {
            fix(c, piix3_usb, "the piix3-uhci USB controller with index '0'");
        } else {
            continue;
        }
        take(c.info, chipset);
    }
    // ISA bridge and power management.
    take(at_slot(1), chipset, def_.where);
    take(at_slot(1, 3), chipset, def_.where);
    place_first_video(2, chipset);
}

void PciPlacement::place_q35() {
    const PciNeed chipset{.plugs = plug_pcie_device};
    for (ControllerDef& c : devices_.controllers) {
        const bool unplaced = std::holds_alternative<std::monostate>(c.info.address);
        if (is_first(c, ControllerType::sata)) {
            // A place that the document gave has been taken already.
            const bool given = is_set(c.info);
            fix(c, ich9_sata, "the first SATA controller");
            if (!given) {
                take(c.info, chipset);
            }
        } else if (unplaced && c.type == ControllerType::usb &&
                   c.model_as<UsbModel>() == UsbModel::ich9_uhci1) {
            // Where real hardware has its first and second set of USB 2 controllers.
            for (const uint32_t slot : {0x1dU, 0x1aU}) {
                if (!buses_.slot_in_use(at_slot(slot))) {
                    PciAddress at = at_slot(slot);
                    take(at, chipset, c.info.where);
                    at.multifunction = OnOff::on;
                    c.info.address = at;
                    break;
                }
            }
        } else if (unplaced && c.is_pci(PciModel::dmi_to_pci_bridge) &&
                   !buses_.slot_in_use(at_slot(0x1e))) {
            take(at_slot(0x1e), chipset, c.info.where);
            c.info.address = at_slot(0x1e);
        }
    }
    // ISA bridge and SMBus.
    take(at_slot(0x1f), chipset, def_.where);
    take(at_slot(0x1f, 3), chipset, def_.where);
    place_first_video(1, chipset);
    for (SoundDef& sound : devices_.sounds) {
        if (sound.model == SoundModel::ich9 && is_wanted(sound.info) &&
            !buses_.slot_in_use(at_slot(0x1b))) {
            take(at_slot(0x1b), chipset, sound.info.where);
            sound.info.address = at_slot(0x1b);
            break;
        }
    }
}

/// QEMU puts the first display adapter into the first slot that the chipset leaves free.
void PciPlacement::place_first_video(uint32_t slot, const PciNeed& chipset) {
    if (devices_.videos.empty()) {
        return;
    }
    VideoDef& video = devices_.videos.front();
    const PciNeed need = needs_.of(video);
    if (!need || !is_wanted(video.info)) {
        return;
    }
    if (buses_.slot_in_use(at_slot(slot))) {
        video.info.address = buses_.reserve_next(need);
        return;
    }
    take(at_slot(slot), chipset, video.info.where);
    video.info.address = at_slot(slot);
}

/// An EHCI and its UHCI companions are functions of one slot.
void PciPlacement::place_usb2(ControllerDef& c) {
    PciAddress at;
    bool found = false;
    for (const ControllerDef& other : devices_.controllers) {
        if (is_usb2(other) && other.index == c.index && is_set(other.info)) {
            at = *other.info.pci();
            found = true;
            break;
        }
    }
    at.multifunction.reset();
    switch (*c.model_as<UsbModel>()) {
    case UsbModel::ich9_ehci1:
        at.function = 7;
        break;
    case UsbModel::ich9_uhci2:
        at.function = 1;
        break;
    case UsbModel::ich9_uhci3:
        at.function = 2;
        break;
    default:
        at.function = 0;
        at.multifunction = OnOff::on;
        break;
    }
    if (found) {
        take(at, needs_.of(c), c.info.where);
        c.info.address = at;
        return;
    }
    const std::optional<OnOff> multifunction = at.multifunction;
    at = buses_.reserve_next(needs_.of(c), at.function);
    at.multifunction = multifunction;
    set(c.info, at);
}

/// The order is part of the format: documents of guests that exist were completed in it.
void PciPlacement::place_devices() {
    for (ControllerDef& c : devices_.controllers) {
        if (c.type == ControllerType::pci) {
            place(c);
        }
    }
    const auto all = [&](auto& list) {
        for (auto& device : list) {
            place(device);
        }
    };
    all(devices_.filesystems);
    for (InterfaceDef& interface : devices_.interfaces) {
        if (interface.type() != InterfaceType::hostdev) {
            place(interface);
        }
    }
    all(devices_.sounds);
    for (ControllerDef& c : devices_.controllers) {
        if (c.type == ControllerType::pci || is_first(c, ControllerType::ide)) {
            continue;
        }
        if (is_usb2(c) && is_wanted(c.info)) {
            place_usb2(c);
        } else {
            place(c);
        }
    }
    all(devices_.disks);
    for (InterfaceDef& interface : devices_.interfaces) {
        if (interface.type() == InterfaceType::hostdev) {
            place(interface);
        }
    }
    all(devices_.hostdevs);
    if (devices_.memballoon) {
        place(*devices_.memballoon);
    }
    all(devices_.rngs);
    all(devices_.watchdogs);
    all(devices_.videos);
    all(devices_.shmems);
    all(devices_.inputs);
    all(devices_.serials);
    if (devices_.iommu) {
        place(*devices_.iommu);
    }
    if (devices_.vsock) {
        place(*devices_.vsock);
    }
    all(devices_.memories);
    all(devices_.cryptos);
}

/// Number of PCI buses that the document has.
std::size_t bus_count(const Devices& devices) {
    std::size_t count = 0;
    for (const ControllerDef& c : devices.controllers) {
        if (c.type == ControllerType::pci) {
            count = std::max(count, std::size_t{*c.index} + 1);
        }
    }
    return count;
}

/// Finds out which buses have to be added and adds their controllers.
std::size_t add_buses(DomainDef& def, const HostFacts& facts, std::size_t given) {
    DomainDef trial = def;
    PciPlacement counting(trial, facts, given, true);
    counting.place_chipset();
    if (has_pci_root(trial, PciModel::pci_root) && !counting.buses().full()) {
        // Room for one more device, or for the bridge that makes room for more.
        counting.buses().reserve_next(counting.needs().pci());
    }
    counting.place_devices();
    if (given == 1 && counting.buses().size() > given && counting.needs().express) {
        // Nobody but us manages the ports: leave one free, for a device to be plugged later.
        counting.buses().reserve_next(counting.needs().pcie());
    }
    for (std::size_t i = 1; i < counting.buses().size(); ++i) {
        if (find_controller(def, ControllerType::pci, static_cast<uint32_t>(i)) != nullptr) {
            continue;
        }
        ControllerDef added;
        added.type = ControllerType::pci;
        added.index = static_cast<uint32_t>(i);
        added.model = *counting.buses().model(i);
        append_controller(def, added);
        // It is plugged into something itself, which may need yet another bus.
        counting.place(added);
    }
    return counting.buses().size();
}

} // namespace

void assign_pci_addresses(DomainDef& def, const HostFacts& facts) {
    std::size_t buses = bus_count(def.devices);
    if (buses == 0) {
        return; // a machine without PCI
    }
    buses = add_buses(def, facts, buses);
    PciPlacement placement(def, facts, buses, false);
    placement.place_chipset();
    placement.place_devices();
    mark_multifunction(def.devices);
    fill_pci_targets(def, facts);
}

} // namespace vireo::qemu
