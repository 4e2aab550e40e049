// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/graphics_ports.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

bool listens_on_address(const GraphicsDef& graphics) {
    return graphics.listens.empty() ||
           std::any_of(graphics.listens.begin(), graphics.listens.end(), [](const auto& listen) {
               return listen.type() == ListenType::address || listen.type() == ListenType::network;
           });
}

bool is_open(const std::optional<int32_t>& port) {
    return port.value_or(-1) == -1;
}

/// Whether any channel may or must come in the clear, and any over TLS.
struct SpiceNeeds {
    bool plain = false;
    bool tls = false;

    void add(SpiceChannelMode mode) {
        plain = plain || mode != SpiceChannelMode::secure;
        tls = tls || mode != SpiceChannelMode::insecure;
    }
};

SpiceNeeds needs_of(const SpiceGraphics& spice) {
    SpiceNeeds needs;
    needs.add(spice.default_mode.value_or(SpiceChannelMode::any));
    for (const SpiceChannel& channel : spice.channels) {
        needs.add(channel.mode);
    }
    return needs;
}

} // namespace

void assign_graphics_ports(DomainDef& def,
                           bool spice_tls,
                           const std::function<int32_t(PortUse)>& choose) {
    for (GraphicsDef& graphics : def.devices.graphics) {
        const bool on_address = listens_on_address(graphics);
        if (auto* vnc = std::get_if<VncGraphics>(&graphics.kind)) {
            if (on_address && (vnc->autoport == YesNo::yes || is_open(vnc->port))) {
                vnc->port = choose(PortUse::vnc);
            }
            if (vnc->websocket == -1) {
                vnc->websocket = choose(PortUse::vnc_websocket);
            }
        } else if (auto* spice = std::get_if<SpiceGraphics>(&graphics.kind); spice && on_address) {
            const SpiceNeeds needs = needs_of(*spice);
            const bool automatic = spice->autoport == YesNo::yes;
            if ((automatic && needs.plain) || spice->port == -1) {
                spice->port = choose(PortUse::spice);
            }
            if ((automatic && needs.tls && spice_tls) || (spice->tls_port == -1 && spice_tls)) {
                spice->tls_port = choose(PortUse::spice_tls);
            }
        }
    }
}

void use_automatic_sockets(DomainDef& def, const LaunchSettings& settings) {
    for (GraphicsDef& graphics : def.devices.graphics) {
        const GraphicsType type = graphics.type();
        if (!(type == GraphicsType::vnc && settings.vnc_auto_unix_socket) &&
            !(type == GraphicsType::spice && settings.spice_auto_unix_socket)) {
            continue;
        }
        if (graphics.listens.empty()) {
            graphics.listens.emplace_back();
        }
        for (GraphicsListen& listen : graphics.listens) {
            const auto* place = std::get_if<AddressListen>(&listen.kind);
            if (place && !place->address) {
                listen.kind = SocketListen();
            }
        }
    }
}

} // namespace vireo::qemu
