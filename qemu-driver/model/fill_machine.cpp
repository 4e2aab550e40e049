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

/// Where a document without <audio> sends its sound; none: where QEMU sends it.
std::optional<AudioType> default_audio(const DomainDef& def, const HostFacts& facts) {
    const bool allowed = def.devices.graphics.empty() && facts.nographics_allow_host_audio;
    if (def.devices.graphics.empty()) {
        return allowed ? facts.host_audio.value_or(AudioType::none) : AudioType::none;
    }
    std::optional<AudioType> backend;
    bool on_host = false;
    for (const GraphicsDef& graphics : def.devices.graphics) {
        if (graphics.type() == GraphicsType::spice) {
            backend = AudioType::spice;
        } else if (graphics.type() == GraphicsType::vnc) {
            backend = AudioType::none;
            on_host |= facts.vnc_allow_host_audio;
        }
    }
    return on_host && facts.host_audio ? facts.host_audio : backend;
}

void add_audio_backend(DomainDef& def, const HostFacts& facts) {
    const auto type = default_audio(def, facts);
    if (def.devices.audios.empty() && type) {
        AudioDef audio;
        audio.id = 1;
        audio.type = *type;
        def.devices.audios.push_back(std::move(audio));
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
