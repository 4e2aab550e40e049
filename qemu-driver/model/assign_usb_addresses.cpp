// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/problem.hpp"

#include <map>
#include <memory>

namespace vireo::qemu {

namespace {

constexpr uint32_t hub_ports = 8;
constexpr std::size_t deepest = 4;

/// Ports of a controller. Its companions have none of their own.
uint32_t ports_of(const ControllerDef& c) {
    switch (c.model_as<UsbModel>().value_or(UsbModel::piix3_uhci)) {
    case UsbModel::piix3_uhci:
    case UsbModel::piix4_uhci:
    case UsbModel::vt82c686b_uhci:
        return 2;
    case UsbModel::ehci:
    case UsbModel::ich9_ehci1:
        return 6;
    case UsbModel::pci_ohci:
        return 3;
    case UsbModel::nec_xhci:
    case UsbModel::qemu_xhci:
        return c.ports.value_or(4);
    case UsbModel::qusb1:
    case UsbModel::qusb2:
        return c.ports.value_or(8);
    default:
        return 0;
    }
}

/// A controller or hub: what each of its ports has.
struct Hub {
    struct Port {
        bool taken{};
        std::unique_ptr<Hub> hub;
    };

    explicit Hub(uint32_t count) : ports(count) {}

    std::vector<Port> ports;
};

/// Everything on USB but hubs, in the order in which ports are given out.
template <class F>
void for_each_usb_device(DomainDef& def, F&& visit) {
    Devices& devices = def.devices;
    for (HostdevDef& hostdev : devices.hostdevs) {
        if (hostdev.type() == HostdevType::usb) {
            visit(hostdev.info);
        }
    }
    for (DiskDef& disk : devices.disks) {
        if (disk.target.bus == DiskBus::usb) {
            visit(disk.info);
        }
    }
    for (ControllerDef& c : devices.controllers) {
        if (c.type == ControllerType::ccid) {
            visit(c.info);
        }
    }
    for (InterfaceDef& interface : devices.interfaces) {
        if (interface.model == "usb-net") {
            visit(interface.info);
        }
    }
    for (InputDef& input : devices.inputs) {
        if (input.bus == InputBus::usb) {
            visit(input.info);
        }
    }
    for (SerialDef& serial : devices.serials) {
        if (serial.target_type == SerialTargetType::usb_serial) {
            visit(serial.info);
        }
    }
    for (SoundDef& sound : devices.sounds) {
        if (sound.model == SoundModel::usb) {
            visit(sound.info);
        }
    }
    for (RedirdevDef& redirdev : devices.redirdevs) {
        visit(redirdev.info);
    }
}

bool has_port(const DeviceInfo& info) {
    return info.usb() != nullptr && info.usb()->port;
}

class Buses {
  public:
    explicit Buses(const DomainDef& def) {
        for (const ControllerDef& c : def.devices.controllers) {
            const uint32_t ports = c.type == ControllerType::usb ? ports_of(c) : 0;
            if (ports != 0 && !buses_.emplace(*c.index, Hub(ports)).second) {
                refuse(c.info.where, "controller", "there are two USB controllers '{}'", *c.index);
            }
        }
    }

    void take(const DeviceInfo& info, bool is_hub) {
        const UsbAddress& at = *info.usb();
        Hub::Port& port = find(at, info.where);
        if (port.taken) {
            refuse(info.where,
                   "address",
                   "USB port {} of bus {} is used twice",
                   fmt::join(at.port->path, "."),
                   at.bus);
        }
        port.taken = true;
        if (is_hub) {
            port.hub = std::make_unique<Hub>(hub_ports);
        }
    }

    void assign(DeviceInfo& info, bool is_hub) {
        if (has_port(info) ||
            !(info.usb() != nullptr || std::holds_alternative<std::monostate>(info.address))) {
            return;
        }
        const std::optional<uint32_t> only =
            info.usb() != nullptr ? std::optional(info.usb()->bus) : std::nullopt;
        for (auto& [bus, hub] : buses_) {
            UsbPort port;
            if ((!only || *only == bus) && free_port(hub, port)) {
                info.address = UsbAddress{.bus = bus, .port = port};
                take(info, is_hub);
                return;
            }
        }
        refuse(info.where, "address", "no USB port is free; add a USB controller or a hub");
    }

  private:
    Hub::Port& find(const UsbAddress& at, xml::Where where) {
        const auto bus = buses_.find(at.bus);
        if (bus == buses_.end()) {
            refuse(where, "address", "there is no USB controller '{}'", at.bus);
        }
        Hub* hub = &bus->second;
        const std::vector<uint32_t>& path = at.port->path;
        for (std::size_t i = 0;; ++i) {
            if (path[i] > hub->ports.size()) {
                refuse(where,
                       "address",
                       "bus {} has no USB port {}: it ends at port {} there",
                       at.bus,
                       fmt::join(path, "."),
                       hub->ports.size());
            }
            Hub::Port& port = hub->ports[path[i] - 1];
            if (i + 1 == path.size()) {
                return port;
            }
            if (!port.hub) {
                refuse(where,
                       "address",
                       "there is no hub on the way to USB port {} of bus {}",
                       fmt::join(path, "."),
                       at.bus);
            }
            hub = port.hub.get();
        }
    }

    static bool free_port(const Hub& hub, UsbPort& out) {
        for (std::size_t i = 0; i < hub.ports.size(); ++i) {
            if (!hub.ports[i].taken) {
                out.path.push_back(static_cast<uint32_t>(i + 1));
                return true;
            }
        }
        if (out.path.size() + 1 >= deepest) {
            return false;
        }
        for (std::size_t i = 0; i < hub.ports.size(); ++i) {
            if (hub.ports[i].hub) {
                out.path.push_back(static_cast<uint32_t>(i + 1));
                if (free_port(*hub.ports[i].hub, out)) {
                    return true;
                }
                out.path.pop_back();
            }
        }
        return false;
    }

    std::map<uint32_t, Hub> buses_;
};

/// Hubs for the devices that find no port: each takes one and gives eight.
void add_hubs(DomainDef& def) {
    std::size_t ports = def.devices.hubs.size() * hub_ports;
    for (const ControllerDef& c : def.devices.controllers) {
        ports += c.type == ControllerType::usb ? ports_of(c) : 0;
    }
    std::size_t devices = def.devices.hubs.size();
    for_each_usb_device(def, [&](const DeviceInfo& info) {
        ++devices;
        if (ports == 0) {
            refuse(info.where, "domain", "there is a USB device, but no USB controller for it");
        }
    });
    if (devices > ports) {
        const std::size_t needed = (devices - ports + hub_ports - 1) / (hub_ports - 1);
        def.devices.hubs.resize(def.devices.hubs.size() + needed);
    }
}

} // namespace

void assign_usb_addresses(DomainDef& def, const PassOptions& options) {
    if (!options.new_definition) {
        // A guest that was defined without ports has them where QEMU put them.
        std::size_t open = 0;
        for_each_usb_device(def, [&](const DeviceInfo& info) { open += has_port(info) ? 0 : 1; });
        for (const HubDef& hub : def.devices.hubs) {
            open += has_port(hub.info) ? 0 : 1;
        }
        if (open > (options.plugging ? 1 : 0)) {
            return;
        }
    }
    if (!options.plugging) { // a hub is a device of its own, which nobody would plug
        add_hubs(def);
    }
    Buses buses(def);
    for (const HubDef& hub : def.devices.hubs) {
        if (has_port(hub.info)) {
            buses.take(hub.info, true);
        }
    }
    for_each_usb_device(def, [&](const DeviceInfo& info) {
        if (has_port(info)) {
            buses.take(info, false);
        }
    });
    for (HubDef& hub : def.devices.hubs) {
        buses.assign(hub.info, true);
    }
    for_each_usb_device(def, [&](DeviceInfo& info) { buses.assign(info, false); });
}

} // namespace vireo::qemu
