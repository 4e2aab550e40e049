// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_client.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/log.hpp"

namespace vireo {

DriverClient::DriverClient(Loop& loop, std::string socket, Events events)
    : loop_(loop), socket_(std::move(socket)), events_(std::move(events)) {}

bool DriverClient::connect() {
    Fd socket = connect_unix_as_driver(socket_);
    if (!socket) {
        return false;
    }
    close();
    sd_bus* made = nullptr;
    check(sd_bus_new(&made), "create a connection");
    bus::Bus connection(made);
    const int fd = socket.release(); // sd-bus closes it
    check(sd_bus_set_fd(made, fd, fd), "set up a connection");
    check(sd_bus_negotiate_fds(made, 1), "set up a connection");
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_filter(made, &slot, &on_message, this), "watch a connection");
    bus::Slot filter(slot);
    check(sd_bus_start(made), "start a connection");
    check(sd_bus_attach_event(made, loop_.get(), SD_EVENT_PRIORITY_NORMAL), "attach a connection");
    filter_ = std::move(filter);
    connection_ = std::move(connection);
    return true;
}

void DriverClient::close() {
    if (!connection_) {
        return;
    }
    filter_.reset();
    retired_.push_back(std::move(connection_));
    sd_event_source* source = nullptr;
    check(sd_event_add_defer(loop_.get(), &source, &on_retired, this), "close a connection");
    retirement_.reset(source);
}

int DriverClient::on_retired(sd_event_source*, void* context) noexcept {
    static_cast<DriverClient*>(context)->retired_.clear();
    return 0;
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
