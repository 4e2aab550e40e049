// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/bus/types.hpp"
#include "libshared/fd.hpp"

#include <list>

namespace vireo {

/// What is told of a connection beside its answers, from its first message on.
struct PeerFilter {
    sd_bus_message_handler_t handler = nullptr; ///< null: nothing is told
    void* context = nullptr;
    bool connected_signal = false; ///< `Connected` of org.freedesktop.DBus.Local
};

/// A connection to another daemon, and what keeps its filter.
struct PeerConnection {
    bus::Bus bus;
    bus::Slot filter;
};

/// D-Bus peer to peer over a connected socket, on the loop. Descriptors may be sent.
PeerConnection open_peer(Loop& loop, Fd socket, const PeerFilter& filter = {});

/// Connections that have ended. They are freed from the loop, since sd-bus may be in one of them.
class RetiredConnections {
  public:
    explicit RetiredConnections(Loop& loop) : loop_(loop) {}

    RetiredConnections(const RetiredConnections&) = delete;
    RetiredConnections& operator=(const RetiredConnections&) = delete;

    /// Where the loop takes no more sources it is freed with the next one, or with this.
    void add(bus::Bus connection) noexcept;

  private:
    static int on_turn(sd_event_source*, void* self) noexcept;

    Loop& loop_;
    std::list<bus::Bus> connections_;
    Source turn_;
};

} // namespace vireo
