// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>
#include <array>

namespace vireo::qemu {

namespace {

std::string new_uuid(const HostFacts& facts) {
    std::array<uint8_t, 16> b{};
    facts.random_bytes(b);
    b[6] = static_cast<uint8_t>((b[6] & 0x0f) | 0x40); // version 4: random
    b[8] = static_cast<uint8_t>((b[8] & 0x3f) | 0x80);
    std::string text;
    for (std::size_t i = 0; i < b.size(); ++i) {
        text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
    }
    return text;
}

void add_input(Devices& devices, InputType type) {
    const auto same = [&](const InputDef& i) { return i.type == type && i.bus == InputBus::ps2; };
    if (std::ranges::none_of(devices.inputs, same)) {
        InputDef input;
        input.type = type;
        input.bus = InputBus::ps2;
        devices.inputs.push_back(input);
    }
}

/// USB of a machine whose document has no USB controller; absent: it gets none.
std::optional<UsbModel> default_usb(const DomainDef& def, const QemuCapabilities& qemu) {
    if (def.os.is_q35()) {
        // USB 3 where QEMU has it, the chipset's USB 2 otherwise.
        if (qemu.has_type("qemu-xhci")) {
            return UsbModel::qemu_xhci;
        }
        if (qemu.has_type("nec-usb-xhci")) {
            return UsbModel::nec_xhci;
        }
        return std::nullopt;
    }
    return qemu.has_type("piix3-usb-uhci") ? std::optional(UsbModel::piix3_uhci) : std::nullopt;
}

void add_pci_root(DomainDef& def, PciModel model) {
    const ControllerDef* root = find_controller(def, ControllerType::pci, 0);
    if (root == nullptr) {
        ControllerDef added;
        added.type = ControllerType::pci;
        added.index = 0;
        added.model = model;
        append_controller(def, std::move(added));
    } else if (!root->is_pci(model)) {
        refuse(root->info.where,
               "controller",
               "the PCI controller with index '0' of a {} machine is a {}",
               *def.os.machine,
               name_of(model));
    }
}

void add_audio_backend(DomainDef& def, const HostFacts& facts) {
    Devices& devices = def.devices;
    if (!devices.audios.empty()) {
        return;
    }
    AudioDef audio;
    audio.id = 1;
    if (!devices.graphics.empty()) {
        switch (devices.graphics.back().type()) {
        case GraphicsType::spice:
            audio.type = AudioType::spice;
            break;
        case GraphicsType::vnc:
            if (facts.vnc_allow_host_audio && facts.host_audio) {
                audio.type = *facts.host_audio;
            }
            break;
        default:
            return; // its sound goes where QEMU sends it
        }
    } else if (facts.nographics_allow_host_audio && facts.host_audio) {
        audio.type = *facts.host_audio;
    }
    devices.audios.push_back(std::move(audio));
}

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

/// The index of a set of USB 2 controllers that still lacks that model.
std::optional<uint32_t> usb2_index(const DomainDef& def, const ControllerDef& wanted) {
    const auto is_usb2 = [](const ControllerDef& c) {
        const auto model = c.type == ControllerType::usb ? c.model_as<UsbModel>() : std::nullopt;
        return model >= UsbModel::ich9_ehci1 && model <= UsbModel::ich9_uhci3;
    };
    if (!is_usb2(wanted)) {
        return std::nullopt;
    }
    for (const ControllerDef& c : def.devices.controllers) {
        const auto twin = [&](const ControllerDef& other) {
            return other.type == ControllerType::usb && other.index == c.index &&
                   other.model == wanted.model;
        };
        if (is_usb2(c) && std::ranges::none_of(def.devices.controllers, twin)) {
            return c.index;
        }
    }
    return std::nullopt;
}

/// Controllers without an index get the lowest free one of their type.
void fill_indexes(DomainDef& def) {
    std::vector<ControllerDef> given = std::move(def.devices.controllers);
    def.devices.controllers.clear();
    std::vector<ControllerDef> later;
    for (ControllerDef& c : given) {
        fill_companion(c);
        if (c.index) {
            insert_controller(def, std::move(c));
        } else {
            later.push_back(std::move(c));
        }
    }
    for (ControllerDef& c : later) {
        const auto shared = usb2_index(def, c);
        c.index = shared ? *shared : free_controller_index(def, c.type);
        insert_controller(def, std::move(c));
    }
}

} // namespace

void fill_machine(DomainDef& def, const HostFacts& facts) {
    if (!def.uuid) {
        def.uuid = new_uuid(facts);
    }
    if (def.genid && !def.genid->uuid) {
        def.genid->uuid = new_uuid(facts);
    }
    if (!def.os.arch) {
        def.os.arch = facts.arch;
    }
    if (!def.devices.emulator) {
        const auto emulator = facts.emulators.find(*def.os.arch);
        if (emulator == facts.emulators.end()) {
            refuse(def.where, "domain", "there is no emulator for guests of '{}'", *def.os.arch);
        }
        def.devices.emulator = emulator->second;
    }
    const MachineType* machine =
        def.os.machine ? facts.qemu->machine(*def.os.machine) : facts.qemu->default_machine();
    if (!def.os.machine) {
        if (machine == nullptr) {
            refuse(def.where, "os", "QEMU has no default machine; name one in <type machine=>");
        }
        def.os.machine = machine->name;
    } else if (machine != nullptr && facts.expand_machine_aliases) {
        def.os.machine = machine->name;
    }
}

void add_machine_devices(DomainDef& def, const HostFacts& facts) {
    fill_indexes(def);
    const bool q35 = def.os.is_q35();
    const bool i440fx = def.os.is_i440fx();
    add_input(def.devices, InputType::mouse);
    add_input(def.devices, InputType::keyboard);
    if (def.os.machine == "isapc" || def.os.is_microvm()) {
        add_audio_backend(def, facts);
        return;
    }
    if (find_controller(def, ControllerType::usb, 0) == nullptr) {
        if (const auto model = default_usb(def, *facts.qemu)) {
            ControllerDef usb;
            usb.type = ControllerType::usb;
            usb.index = 0;
            usb.model = *model;
            append_controller(def, std::move(usb));
        }
    }
    if (q35) {
        add_controller_if_missing(def, ControllerType::sata, 0);
        add_pci_root(def, PciModel::pcie_root);
    }
    if (i440fx) {
        add_pci_root(def, PciModel::pci_root);
    }
    if (!def.devices.memballoon) {
        def.devices.memballoon.emplace().model = MemballoonModel::virtio;
    }
    add_audio_backend(def, facts);
}

} // namespace vireo::qemu
