// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

void check_reconnect(const std::optional<ReconnectDef>& reconnect,
                     SocketMode mode,
                     xml::Where where) {
    if (!reconnect) {
        return;
    }
    const bool enabled = reconnect->enabled == YesNo::yes;
    if (enabled && !reconnect->timeout_s) {
        refuse(where, "reconnect", "enabled='yes' needs timeout=, the seconds between attempts");
    }
    if (enabled && reconnect->timeout_s == 0U) {
        refuse(where, "reconnect", "timeout='0': it is a number of seconds from 1 on");
    }
    if (enabled && mode == SocketMode::bind) {
        refuse(where, "reconnect", "mode='bind' waits for others; only 'connect' can reconnect");
    }
}

void check_channel_name(const std::string& name, xml::Where where) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (name.empty() || name.find_first_not_of(allowed) != std::string::npos) {
        refuse(
            where, "source", "channel='{}' is not made of letters, digits, '_', '-' and '.'", name);
    }
}

/// `generated`: the daemon has a place for its own socket.
void check_source(const ChardevSource& source, xml::Where where, bool generated) {
    if (const auto* tcp = std::get_if<TcpChardev>(&source.backend)) {
        if (!tcp->host || !tcp->service) {
            refuse(where,
                   "source",
                   "type='tcp' needs {}",
                   tcp->host ? "service=, the port" : "host=, the address");
        }
        check_reconnect(tcp->reconnect, tcp->mode, where);
    } else if (const auto* udp = std::get_if<UdpChardev>(&source.backend)) {
        if (!udp->connect_service) {
            refuse(where, "source", "type='udp' needs mode='connect' with service=, the port");
        }
    } else if (const auto* socket = std::get_if<UnixChardev>(&source.backend)) {
        if (!socket->path && !generated) {
            refuse(where, "source", "type='unix' needs path=, the socket");
        }
        check_reconnect(socket->reconnect, socket->mode, where);
    } else if (const auto* dev = std::get_if<DevChardev>(&source.backend)) {
        if (!dev->path) {
            refuse(where, "source", "type='dev' needs path=, the device");
        }
    } else if (const auto* port = std::get_if<SpiceportChardev>(&source.backend)) {
        check_channel_name(port->channel, where);
    } else if (const auto* dbus = std::get_if<DbusChardev>(&source.backend)) {
        check_channel_name(dbus->channel.value_or(""), where);
    }
}

template <class List>
void check_list(const List& list) {
    for (const auto& device : list) {
        check_source(device.source, device.info.where, false);
    }
}

void check_serial(const SerialDef& serial) {
    const xml::Where where = serial.info.where;
    const SerialTargetType type = *serial.target_type;
    if (static_cast<std::size_t>(type) != static_cast<std::size_t>(*serial.target_model)) {
        refuse(where,
               "model",
               "name='{}' does not go with a port of type '{}'",
               name_of(*serial.target_model),
               name_of(type));
    }
    const bool none = std::holds_alternative<std::monostate>(serial.info.address);
    const bool right = type == SerialTargetType::pci_serial ? serial.info.pci() != nullptr
                       : type == SerialTargetType::usb_serial
                           ? serial.info.usb() != nullptr
                           : std::holds_alternative<IsaAddress>(serial.info.address);
    if (!none && !right) {
        refuse(where,
               "address",
               "a port of type '{}' has type='{}'",
               name_of(type),
               type == SerialTargetType::pci_serial   ? "pci"
               : type == SerialTargetType::usb_serial ? "usb"
                                                      : "isa");
    }
    constexpr uint32_t isa_ports = 4;
    if (type == SerialTargetType::isa_serial && *serial.target_port >= isa_ports) {
        refuse(where,
               "target",
               "port='{}': a PC has the ISA serial ports 0 to {}; use type='pci-serial'",
               *serial.target_port,
               isa_ports - 1);
    }
}

void check_channel(const ChannelDef& channel) {
    const xml::Where where = channel.info.where;
    switch (channel.target_type) {
    case ChannelTargetType::xen:
        refuse(where, "target", "type='xen' is not one of QEMU's; use 'virtio'");
    case ChannelTargetType::guestfwd:
        if (!channel.target_address || !channel.target_port) {
            refuse(where,
                   "target",
                   "type='guestfwd' needs {}",
                   channel.target_address ? "port=" : "address=, as the guest sees it");
        }
        if (channel.target_address->find(':') != std::string::npos) {
            refuse(
                where, "target", "address='{}': only IPv4 is forwarded", *channel.target_address);
        }
        break;
    case ChannelTargetType::virtio:
        if (channel.source.type() == ChardevType::spicevmc && channel.target_name &&
            *channel.target_name != "com.redhat.spice.0") {
            refuse(where,
                   "target",
                   "name='{}': SPICE's agent listens on 'com.redhat.spice.0'",
                   *channel.target_name);
        }
        break;
    }
    const auto* socket = std::get_if<UnixChardev>(&channel.source.backend);
    if (socket != nullptr && !socket->path && socket->reconnect &&
        socket->reconnect->enabled == YesNo::yes) {
        refuse(where, "reconnect", "without a path the socket is the daemon's own to listen on");
    }
}

void check_console(const ConsoleDef& console) {
    const auto type = console.target_type.value_or(ConsoleTargetType::serial);
    if (type != ConsoleTargetType::serial && type != ConsoleTargetType::virtio) {
        refuse(console.info.where,
               "target",
               "type='{}' is not one of QEMU's on a PC; 'serial' and 'virtio' are",
               name_of(type));
    }
}

void check_spice(const ChardevSource& source, xml::Where where) {
    const ChardevType type = source.type();
    if (type == ChardevType::spicevmc || type == ChardevType::spiceport) {
        refuse(where, "source", "type='{}' needs a <graphics type='spice'>", name_of(type));
    }
}

/// The channels of SPICE's clients are there with its server alone.
void check_without_spice(const Devices& devices) {
    const auto all = [](const auto& list) {
        for (const auto& device : list) {
            check_spice(device.source, device.info.where);
        }
    };
    all(devices.serials);
    all(devices.parallels);
    all(devices.consoles);
    all(devices.channels);
    all(devices.redirdevs);
    for (const RngDef& rng : devices.rngs) {
        if (const auto* egd = std::get_if<EgdBackend>(&rng.backend)) {
            check_spice(egd->chardev, rng.info.where);
        }
    }
    for (const SmartcardDef& card : devices.smartcards) {
        if (const auto* passthrough = std::get_if<PassthroughSmartcard>(&card.kind)) {
            check_spice(passthrough->chardev, card.info.where);
        }
    }
}

} // namespace

void validate_chardevs(const DomainDef& def) {
    const Devices& devices = def.devices;
    check_list(devices.serials);
    check_list(devices.parallels);
    check_list(devices.consoles);
    check_list(devices.redirdevs);
    for (const ChannelDef& channel : devices.channels) {
        check_source(
            channel.source, channel.info.where, channel.target_type != ChannelTargetType::guestfwd);
    }
    for (const RngDef& rng : devices.rngs) {
        if (const auto* egd = std::get_if<EgdBackend>(&rng.backend)) {
            check_source(egd->chardev, rng.info.where, false);
        }
    }
    for (const SmartcardDef& card : devices.smartcards) {
        if (const auto* passthrough = std::get_if<PassthroughSmartcard>(&card.kind)) {
            check_source(passthrough->chardev, card.info.where, false);
        }
    }
}

void validate_qemu_chardevs(const DomainDef& def) {
    const Devices& devices = def.devices;
    const bool spice = std::ranges::any_of(
        devices.graphics, [](const GraphicsDef& g) { return g.type() == GraphicsType::spice; });
    if (!spice) {
        check_without_spice(devices);
    }
    check_each(devices.serials, [&](const SerialDef& serial) { check_serial(serial); });
    constexpr uint32_t parallel_ports = 3;
    for (const ParallelDef& parallel : devices.parallels) {
        if (*parallel.target_port >= parallel_ports) {
            refuse(parallel.info.where,
                   "target",
                   "port='{}': a PC has the parallel ports 0 to {}",
                   *parallel.target_port,
                   parallel_ports - 1);
        }
    }
    check_each(devices.channels, [&](const ChannelDef& channel) { check_channel(channel); });
    for (const ConsoleDef& console : devices.consoles) {
        check_console(console);
    }
}

} // namespace vireo::qemu
