// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

/// `listen=` and `socket=` are what the first listener was before there were listeners.
void merge_attributes(GraphicsDef& graphics) {
    const auto same = [&](const std::string& attribute, auto address_of) {
        return std::ranges::any_of(graphics.listens, [&](const GraphicsListen& listen) {
            const auto address = address_of(listen);
            return address && *address == attribute;
        });
    };
    if (graphics.socket_attribute) {
        const auto path_of = [](const GraphicsListen& listen) -> std::optional<std::string> {
            const auto* socket = std::get_if<SocketListen>(&listen.kind);
            return socket != nullptr ? socket->path : std::nullopt;
        };
        if (graphics.listens.empty()) {
            graphics.listens.push_back({SocketListen{.path = graphics.socket_attribute}});
        } else if (graphics.listens.front().type() == ListenType::address) {
            graphics.listens.front() = {SocketListen{.path = graphics.socket_attribute}};
        } else if (!same(*graphics.socket_attribute, path_of)) {
            refuse(graphics.where,
                   "graphics",
                   "socket='{}' is in none of its <listen> elements",
                   *graphics.socket_attribute);
        }
    } else if (graphics.listen_attribute) {
        const auto address_of = [](const GraphicsListen& listen) -> std::optional<std::string> {
            const auto* address = std::get_if<AddressListen>(&listen.kind);
            return address != nullptr ? address->address : std::nullopt;
        };
        if (graphics.listens.empty()) {
            graphics.listens.push_back({AddressListen{.address = graphics.listen_attribute}});
        } else if (std::holds_alternative<AddressListen>(graphics.listens.front().kind) &&
                   !same(*graphics.listen_attribute, address_of)) {
            refuse(graphics.where,
                   "graphics",
                   "listen='{}' is in none of its <listen> elements",
                   *graphics.listen_attribute);
        }
    }
    if (graphics.listens.empty()) {
        graphics.listens.push_back({AddressListen{}});
    }
    graphics.listen_attribute.reset();
    graphics.socket_attribute.reset();
    const GraphicsListen& first = graphics.listens.front();
    if (const auto* address = std::get_if<AddressListen>(&first.kind)) {
        graphics.listen_attribute = address->address;
    } else if (const auto* socket = std::get_if<SocketListen>(&first.kind);
               socket != nullptr && graphics.type() == GraphicsType::vnc) {
        graphics.socket_attribute = socket->path;
    }
}

bool on_network(const GraphicsDef& graphics) {
    const ListenType type = graphics.listens.front().type();
    return type == ListenType::address || type == ListenType::network;
}

void fill_vnc(GraphicsDef& graphics, VncGraphics& vnc) {
    if (!on_network(graphics)) {
        vnc.port.reset();
        vnc.autoport.reset();
        return;
    }
    if (vnc.port == -1 || (!vnc.port && vnc.autoport != YesNo::no)) {
        vnc.autoport = YesNo::yes;
    }
    vnc.autoport = vnc.autoport.value_or(YesNo::no);
    if (vnc.autoport == YesNo::yes) {
        vnc.port = -1;
    }
}

void fill_spice(GraphicsDef& graphics, SpiceGraphics& spice, bool nothing_listens) {
    if (nothing_listens) {
        graphics.listens = {{NoneListen{}}};
        graphics.listen_attribute.reset();
    }
    if (spice.default_mode == SpiceChannelMode::any) {
        spice.default_mode.reset();
    }
    if (!on_network(graphics)) {
        spice.port.reset();
        spice.tls_port.reset();
        spice.autoport.reset();
        return;
    }
    const int32_t port = spice.port.value_or(0);
    const int32_t tls_port = spice.tls_port.value_or(0);
    if (port == -1 && tls_port == -1) {
        spice.autoport = YesNo::yes;
    }
    if (spice.autoport == YesNo::yes) {
        spice.port.reset();
        spice.tls_port.reset();
        return;
    }
    if (!spice.autoport) {
        spice.autoport = YesNo::no;
    }
}

} // namespace

void fill_graphics(GraphicsDef& graphics) {
    if (auto* vnc = std::get_if<VncGraphics>(&graphics.kind)) {
        merge_attributes(graphics);
        fill_vnc(graphics, *vnc);
    } else if (auto* spice = std::get_if<SpiceGraphics>(&graphics.kind)) {
        // Neither a port nor a listener: the screen is for a client that is handed a descriptor.
        const bool nothing_listens = graphics.listens.empty() && !graphics.listen_attribute &&
                                     spice->port.value_or(0) == 0 &&
                                     spice->tls_port.value_or(0) == 0 &&
                                     spice->autoport != YesNo::yes;
        merge_attributes(graphics);
        fill_spice(graphics, *spice, nothing_listens);
    }
}

} // namespace vireo::qemu
