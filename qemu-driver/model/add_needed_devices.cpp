// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/fill_defaults.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

/// The first console and the first serial port are one device under two names.
void match_console(Devices& devices) {
    if (!devices.consoles.empty()) {
        ConsoleDef& first = devices.consoles.front();
        const auto type = first.target_type.value_or(ConsoleTargetType::serial);
        if (type == ConsoleTargetType::serial) {
            first.target_type = type;
            if (devices.serials.empty()) {
                SerialDef serial;
                serial.source = first.source;
                serial.target_port = 0;
                serial.target_type = SerialTargetType::isa_serial;
                serial.target_model = SerialTargetModel::isa_serial;
                devices.serials.push_back(std::move(serial));
            } else {
                first.source = devices.serials.front().source;
                first.info = devices.serials.front().info;
            }
        }
    } else if (!devices.serials.empty() &&
               devices.serials.front().target_type == SerialTargetType::isa_serial) {
        ConsoleDef console;
        console.source = devices.serials.front().source;
        console.target_type = ConsoleTargetType::serial;
        devices.consoles.push_back(std::move(console));
    }
    for (std::size_t i = 0; i < devices.consoles.size(); ++i) {
        ConsoleDef& console = devices.consoles[i];
        console.target_type = console.target_type.value_or(ConsoleTargetType::serial);
        console.target_port = console.target_port.value_or(static_cast<uint32_t>(i));
    }
}

/// Controllers up to the highest one that an address names.
void add_up_to(DomainDef& def, ControllerType type, std::optional<uint32_t> highest) {
    for (uint32_t i = 0; highest && i <= *highest; ++i) {
        add_controller_if_missing(def, type, i);
    }
}

void raise(std::optional<uint32_t>& highest, uint32_t index) {
    highest = std::max(highest.value_or(0), index);
}

std::optional<uint32_t> highest_drive(const DomainDef& def, DiskBus bus) {
    std::optional<uint32_t> highest;
    for (const DiskDef& disk : def.devices.disks) {
        if (disk.target.bus == bus && disk.info.drive() != nullptr) {
            raise(highest, disk.info.drive()->controller);
        }
    }
    return highest;
}

void place_scsi_hostdevs(DomainDef& def) {
    for (HostdevDef& hostdev : def.devices.hostdevs) {
        if (hostdev.type() != HostdevType::scsi ||
            !std::holds_alternative<std::monostate>(hostdev.info.address)) {
            continue;
        }
        DriveAddress at;
        const auto taken = [&] {
            const auto here = [&](const auto& device) {
                return device.info.drive() != nullptr && *device.info.drive() == at;
            };
            return std::ranges::any_of(def.devices.hostdevs, here) ||
                   std::ranges::any_of(def.devices.disks, [&](const DiskDef& d) {
                       return d.target.bus == DiskBus::scsi && here(d);
                   });
        };
        while (taken()) {
            at.unit = (at.unit + 1) % 7;
            at.controller += at.unit == 0 ? 1 : 0;
        }
        hostdev.info.address = at;
    }
}

void add_scsi_controllers(DomainDef& def) {
    std::optional<uint32_t> highest = highest_drive(def, DiskBus::scsi);
    for (const HostdevDef& hostdev : def.devices.hostdevs) {
        if (hostdev.type() == HostdevType::scsi && hostdev.info.drive() != nullptr) {
            raise(highest, hostdev.info.drive()->controller);
        }
    }
    // A further one is of the kind that the guest has already.
    std::optional<ScsiModel> model;
    for (const ControllerDef& c : def.devices.controllers) {
        if (c.type == ControllerType::scsi && !model) {
            model = c.model_as<ScsiModel>();
        }
    }
    for (uint32_t i = 0; highest && i <= *highest; ++i) {
        if (find_controller(def, ControllerType::scsi, i) == nullptr) {
            ControllerDef added;
            added.type = ControllerType::scsi;
            added.index = i;
            added.model = model.value_or(ScsiModel::lsilogic);
            append_controller(def, std::move(added));
        }
    }
}

void add_virtio_serial_controllers(DomainDef& def) {
    const auto look = [&](const DeviceInfo& info) {
        const VirtioSerialAddress* at = info.virtio_serial();
        add_controller_if_missing(
            def, ControllerType::virtio_serial, at != nullptr ? at->controller : 0);
    };
    for (const ChannelDef& channel : def.devices.channels) {
        if (channel.target_type == ChannelTargetType::virtio) {
            look(channel.info);
        }
    }
    for (const ConsoleDef& console : def.devices.consoles) {
        if (console.target_type == ConsoleTargetType::virtio) {
            look(console.info);
        }
    }
}

void add_smartcard_controllers(DomainDef& def) {
    std::optional<uint32_t> highest;
    uint32_t slot = 0;
    for (SmartcardDef& smartcard : def.devices.smartcards) {
        const auto* at = std::get_if<CcidAddress>(&smartcard.info.address);
        if (at == nullptr) {
            smartcard.info.address = CcidAddress{.controller = 0, .slot = slot++};
            raise(highest, 0);
        } else {
            raise(highest, at->controller);
        }
    }
    add_up_to(def, ControllerType::ccid, highest);
}

} // namespace

void add_needed_devices(DomainDef& def) {
    match_console(def.devices);
    place_scsi_hostdevs(def);
    add_scsi_controllers(def);
    add_up_to(def, ControllerType::ide, highest_drive(def, DiskBus::ide));
    add_up_to(def, ControllerType::fdc, highest_drive(def, DiskBus::fdc));
    add_up_to(def, ControllerType::sata, highest_drive(def, DiskBus::sata));
    add_virtio_serial_controllers(def);
    add_smartcard_controllers(def);
}

} // namespace vireo::qemu
