// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/peer_connection.hpp"

#include <functional>
#include <string>

namespace vireo {

/// One driver's connection to another's socket (`qemud.sock`), D-Bus peer to peer. Calls may be
/// sent as soon as connect() has returned: bus::new_call(client.connection(), "", …), bus::Call.
/// They fail when the connection ends.
class DriverClient {
  public:
    struct Events {
        /// Every signal but those about the connection itself.
        std::function<void(sd_bus_message* signal)> signal = {};
        /// The other one has nothing to do and would like to leave: close() where nothing is open.
        std::function<void()> idle = {};
        /// The connection has ended, and all calls on it have failed. Not after close().
        std::function<void()> ended = {};
    };

    DriverClient(Loop& loop, std::string socket, Events events);
    DriverClient(const DriverClient&) = delete;
    DriverClient& operator=(const DriverClient&) = delete;

    const std::string& socket() const noexcept { return socket_; }

    /// False where nobody listens. A driver that systemd or the proxy listens for is started by it.
    /// Throws as connect_unix().
    bool connect();

    /// Whoever waits for a call must have been cancelled.
    void close();

    bool connected() const noexcept { return connection_.bus != nullptr; }

    /// Null where it is not connected.
    sd_bus* connection() const noexcept { return connection_.bus.get(); }

  private:
    static int on_message(sd_bus_message* message, void* self, sd_bus_error* error) noexcept;
    bool take(sd_bus_message* message);

    Loop& loop_;
    std::string socket_;
    Events events_;
    PeerConnection connection_;
    RetiredConnections retired_;
};

} // namespace vireo
