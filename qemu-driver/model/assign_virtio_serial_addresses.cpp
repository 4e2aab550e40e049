// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/assign_addresses.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/problem.hpp"

#include <map>
#include <set>

namespace vireo::qemu {

namespace {

constexpr uint32_t default_ports = 31;

/// Ports of all virtio-serial controllers. A port 0 in a document means "to be chosen".
class Ports {
  public:
    explicit Ports(DomainDef& def) : def_(def) {
        for (const ControllerDef& c : def.devices.controllers) {
            if (c.type == ControllerType::virtio_serial) {
                taken_[*c.index];
            }
        }
    }

    void take_given(const DeviceInfo& info) {
        const VirtioSerialAddress* at = info.virtio_serial();
        if (at != nullptr && at->port.value_or(0) != 0) {
            take(*at, info.where);
        }
    }

    /// `console`: may have port 0, which guests take for the console.
    void assign(DeviceInfo& info, bool console) {
        const VirtioSerialAddress* given = info.virtio_serial();
        if (given != nullptr && given->port.value_or(0) != 0) {
            return;
        }
        VirtioSerialAddress at;
        if (given != nullptr) {
            at = *given;
            at.port = free_port(at.controller, 1);
            if (!at.port) {
                refuse(info.where,
                       "address",
                       "virtio-serial controller '{}' has no free port",
                       at.controller);
            }
        } else {
            at = free_anywhere(console ? 0 : 1);
        }
        take(at, info.where);
        info.address = at;
    }

  private:
    uint32_t ports_of(uint32_t controller) const {
        const ControllerDef* c = find_controller(def_, ControllerType::virtio_serial, controller);
        return c != nullptr ? c->ports.value_or(default_ports) : 0;
    }

    std::optional<uint32_t> free_port(uint32_t controller, uint32_t first) const {
        const auto taken = taken_.find(controller);
        const uint32_t end = ports_of(controller);
        for (uint32_t port = first; port < end; ++port) {
            if (taken == taken_.end() || !taken->second.contains(port)) {
                return port;
            }
        }
        return std::nullopt;
    }

    VirtioSerialAddress free_anywhere(uint32_t first) {
        for (const auto& [controller, taken] : taken_) {
            if (const auto port = free_port(controller, first)) {
                return {.controller = controller, .bus = 0, .port = port};
            }
        }
        const uint32_t added = free_controller_index(def_, ControllerType::virtio_serial);
        add_controller_if_missing(def_, ControllerType::virtio_serial, added);
        taken_[added];
        return {.controller = added, .bus = 0, .port = first};
    }

    void take(const VirtioSerialAddress& at, xml::Where where) {
        const auto controller = taken_.find(at.controller);
        if (controller == taken_.end()) {
            refuse(where, "address", "there is no virtio-serial controller '{}'", at.controller);
        }
        if (*at.port >= ports_of(at.controller)) {
            refuse(where,
                   "address",
                   "virtio-serial controller '{}' has the ports 0 to {}, not {}",
                   at.controller,
                   ports_of(at.controller) - 1,
                   *at.port);
        }
        if (!controller->second.insert(*at.port).second) {
            refuse(where,
                   "address",
                   "port {} of virtio-serial controller '{}' is used twice",
                   *at.port,
                   at.controller);
        }
    }

    DomainDef& def_;
    std::map<uint32_t, std::set<uint32_t>> taken_;
};

} // namespace

void assign_virtio_serial_addresses(DomainDef& def) {
    Ports ports(def);
    for (const ChannelDef& channel : def.devices.channels) {
        ports.take_given(channel.info);
    }
    for (const ConsoleDef& console : def.devices.consoles) {
        ports.take_given(console.info);
    }
    for (ConsoleDef& console : def.devices.consoles) {
        if (console.target_type == ConsoleTargetType::virtio) {
            ports.assign(console.info, true);
        }
    }
    for (ChannelDef& channel : def.devices.channels) {
        if (channel.target_type == ChannelTargetType::virtio) {
            ports.assign(channel.info, false);
        }
    }
}

} // namespace vireo::qemu
