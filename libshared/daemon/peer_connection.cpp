// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/peer_connection.hpp"

#include "libshared/error.hpp"
#include "libshared/log.hpp"

namespace vireo {

PeerConnection open_peer(Loop& loop, Fd socket, const PeerFilter& filter) {
    sd_bus* made = nullptr;
    check(sd_bus_new(&made), "create a connection");
    PeerConnection connection{bus::Bus(made), {}};
    const int fd = socket.release(); // sd-bus closes it
    check(sd_bus_set_fd(made, fd, fd), "set up a connection");
    check(sd_bus_negotiate_fds(made, 1), "set up a connection");
    check(sd_bus_set_connected_signal(made, filter.connected_signal), "set up a connection");
    if (filter.handler != nullptr) {
        sd_bus_slot* slot = nullptr;
        check(sd_bus_add_filter(made, &slot, filter.handler, filter.context), "watch a connection");
        connection.filter.reset(slot);
    }
    check(sd_bus_start(made), "start a connection");
    check(sd_bus_attach_event(made, loop.get(), SD_EVENT_PRIORITY_NORMAL), "attach a connection");
    return connection;
}

void RetiredConnections::add(bus::Bus connection) noexcept {
    try {
        connections_.push_back(std::move(connection));
        sd_event_source* source = nullptr;
        check(sd_event_add_defer(loop_.get(), &source, &on_turn, this), "add a source");
        turn_.reset(source);
    } catch (const std::exception& e) {
        log::warning("a connection that has ended stays: {}", e.what());
    }
}

int RetiredConnections::on_turn(sd_event_source*, void* context) noexcept {
    static_cast<RetiredConnections*>(context)->connections_.clear();
    return 0;
}

} // namespace vireo
