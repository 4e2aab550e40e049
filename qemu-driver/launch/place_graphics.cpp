// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/place_graphics.hpp"

#include "libshared/error.hpp"
#include "libshared/fd.hpp"
#include "qemu-driver/devices/graphics_ports.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

namespace vireo::qemu {

namespace {

constexpr const char* this_host = "127.0.0.1";
// The ranges that libvirt takes them from.
constexpr std::int32_t first_port = 5900;
constexpr std::int32_t first_websocket = 5700;
constexpr std::int32_t last_port = 65535;

struct FreeAddresses {
    void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

/// Whether a server could listen there now. A name that is no address is QEMU's to resolve, which
/// may take long: nothing is tried then.
bool is_free(const std::string& address, std::int32_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    if (getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &list) != 0) {
        return true;
    }
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
    const Fd tried(::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    // As QEMU does: a port whose former connections are dying is free.
    ::setsockopt(tried.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    return ::bind(tried.get(), list->ai_addr, list->ai_addrlen) == 0;
}

void place_listener(GraphicsDef& graphics, GraphicsListen& listen, const std::string& folder) {
    if (auto* at = std::get_if<AddressListen>(&listen.kind)) {
        at->address = at->address.value_or(this_host);
    } else if (auto* socket = std::get_if<SocketListen>(&listen.kind)) {
        const char* name = graphics.type() == GraphicsType::spice ? "spice.sock" : "vnc.sock";
        socket->path = socket->path.value_or(folder + "/" + name);
    }
}

/// The attributes say what the first listener is, for clients that look there alone.
void show_in_attributes(GraphicsDef& graphics) {
    if (graphics.listens.empty()) {
        return;
    }
    const GraphicsListen& first = graphics.listens.front();
    if (const auto* at = std::get_if<AddressListen>(&first.kind)) {
        graphics.listen_attribute = at->address;
    } else if (const auto* socket = std::get_if<SocketListen>(&first.kind);
               socket != nullptr && graphics.type() == GraphicsType::vnc) {
        graphics.socket_attribute = socket->path;
    }
}

std::set<std::string> listen_addresses(const DomainDef& def) {
    std::set<std::string> addresses;
    for (const GraphicsDef& graphics : def.devices.graphics) {
        for (const GraphicsListen& listen : graphics.listens) {
            if (const auto* at = std::get_if<AddressListen>(&listen.kind)) {
                addresses.insert(at->address.value_or(this_host));
            }
        }
    }
    return addresses;
}

std::int32_t choose_port(std::int32_t first,
                         std::set<std::int32_t>& taken,
                         const std::set<std::string>& addresses) {
    const auto free_everywhere = [&](std::int32_t port) {
        return std::ranges::all_of(
            addresses, [&](const std::string& address) { return is_free(address, port); });
    };
    for (std::int32_t port = first; port <= last_port; ++port) {
        if (!taken.contains(port) && free_everywhere(port)) {
            taken.insert(port);
            return port;
        }
    }
    throw Error(ErrorCode::operation_failed,
                "graphics: no port from {} to {} is free on this host",
                first,
                last_port);
}

} // namespace

std::set<std::int32_t> graphics_ports(const DomainDef& live) {
    std::set<std::int32_t> ports;
    const auto add = [&](const std::optional<std::int32_t>& port) {
        if (port.value_or(-1) > 0) {
            ports.insert(*port);
        }
    };
    for (const GraphicsDef& graphics : live.devices.graphics) {
        if (const auto* vnc = std::get_if<VncGraphics>(&graphics.kind)) {
            add(vnc->port);
            add(vnc->websocket);
        } else if (const auto* spice = std::get_if<SpiceGraphics>(&graphics.kind)) {
            add(spice->port);
            add(spice->tls_port);
        }
    }
    return ports;
}

void place_graphics(DomainDef& live, std::set<std::int32_t> taken, const std::string& folder) {
    for (GraphicsDef& graphics : live.devices.graphics) {
        for (GraphicsListen& listen : graphics.listens) {
            place_listener(graphics, listen, folder);
        }
        show_in_attributes(graphics);
    }
    taken.merge(graphics_ports(live)); // those that the definition gives
    const std::set<std::string> addresses = listen_addresses(live);
    const bool spice_tls = false; // there are no certificates yet
    assign_graphics_ports(live, spice_tls, [&](PortUse use) {
        const bool websocket = use == PortUse::vnc_websocket;
        return choose_port(websocket ? first_websocket : first_port, taken, addresses);
    });
}

} // namespace vireo::qemu
