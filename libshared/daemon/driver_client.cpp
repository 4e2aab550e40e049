// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_client.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

namespace vireo {

DriverClient::DriverClient(Loop& loop, std::string socket, Events events)
    : loop_(loop), socket_(std::move(socket)), events_(std::move(events)), retired_(loop) {}

bool DriverClient::connect() {
    Fd socket = connect_unix_as_driver(socket_);
    if (!socket) {
        return false;
    }
    close();
    connection_ = open_peer(loop_, std::move(socket), {.handler = &on_message, .context = this});
    return true;
}

void DriverClient::close() {
    if (connected()) {
        connection_.filter.reset();
        retired_.add(std::move(connection_.bus));
    }
}

int DriverClient::on_message(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& self = *static_cast<DriverClient*>(context);
    try {
        return self.take(message) ? 1 : 0;
    } catch (const std::exception& e) {
        log::error("message on '{}': {}", self.socket_, e.what());
        return 1;
    }
}

bool DriverClient::take(sd_bus_message* message) {
    if (sd_bus_message_is_signal(message, nullptr, nullptr) <= 0) {
        return false; // answers find their calls; nothing is served here, sd-bus says so
    }
    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
        close();
        if (events_.ended) {
            events_.ended();
        }
    } else if (sd_bus_message_is_signal(message, "org.vireo.Driver1", "Idle") > 0) {
        if (events_.idle) {
            events_.idle();
        }
    } else if (events_.signal) {
        events_.signal(message);
    }
    return true;
}

} // namespace vireo
