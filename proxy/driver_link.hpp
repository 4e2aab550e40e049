// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "libshared/daemon/driver_starter.hpp"
#include "libshared/daemon/peer_connection.hpp"
#include "proxy/open_call.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vireo::proxy {

/// The one connection to a driver, made when a call first needs it. Calls are sent on it as they
/// were received, without a look at their bodies: the client's own serial number serves there too,
/// unless an open call of another client has the same one; then the call is copied.
class DriverLink {
  public:
    struct Events {
        /// A signal of the driver that is not about the link itself.
        std::function<void(sd_bus_message* signal)> signal;
        /// The driver wants to be told by client_left() when this client leaves the bus, at once
        /// where it has left.
        std::function<void(const std::string& client)> watch;
    };

    /// `start_limit`: how long a driver may take until it answers on a new connection.
    DriverLink(Loop& loop,
               Scope& tasks,
               DriverPlaces places,
               std::chrono::microseconds start_limit,
               Events events);
    ~DriverLink();
    DriverLink(const DriverLink&) = delete;
    DriverLink& operator=(const DriverLink&) = delete;

    const std::string& daemon() const noexcept { return starter_.places().daemon; }

    /// Sends the call, connecting and starting the driver where needed. Never throws for what is
    /// wrong with the driver: the call fails then, maybe at once.
    void submit(std::unique_ptr<OpenCall> call);

    /// Connects where somebody else has started the driver, so that its signals arrive.
    void connect_if_running();

    /// Listens on the driver's socket where nobody does. `sockets`: the kernel's table of them.
    void listen_if_nobody_does(std::string_view sockets);

    /// Tells the driver, where it wanted to know.
    void client_left(std::string_view client);

    /// No call is open and the driver is not connected.
    bool idle() const noexcept { return state_ == State::disconnected && open_.empty(); }

  private:
    enum class State { disconnected, connecting, ready };

    struct Sent {
        std::unique_ptr<OpenCall> call;
        bool same_serial;
    };

    static int on_message(sd_bus_message* message, void* self, sd_bus_error*) noexcept;
    static int on_start_limit(sd_event_source*, uint64_t, void* self) noexcept;
    bool take(sd_bus_message* message);
    void take_answer(sd_bus_message* answer);
    void take_signal(sd_bus_message* signal);

    void connect();
    void open_connection(Fd socket);
    void connected();
    void disconnected();
    void retire_connection();
    void transmit(std::unique_ptr<OpenCall> call);
    int send_copy(sd_bus_message* request, std::uint32_t serial);
    std::uint32_t free_serial();
    void fail_waiting(const Error& why);
    void start_failed(const Error& why);
    void crashed(const ExitStatus& how);
    void revive();
    void leave_if_done();

    Loop& loop_;
    std::chrono::microseconds start_limit_;
    Events events_;
    DriverStarter starter_;
    State state_ = State::disconnected;
    PeerConnection connection_;
    Source timer_;
    RetiredConnections retired_;
    std::vector<std::unique_ptr<OpenCall>> waiting_; // until the connection is ready
    std::unordered_map<std::uint64_t, Sent> open_;   // by serial number on this connection
    std::uint32_t last_serial_ = 0x8000'0000;        // of those that are not a client's
    std::set<std::string, std::less<>> watched_;
    unsigned attempts_ = 0; // connections that ended before they were ready, in a row
    std::optional<std::chrono::microseconds> revived_at_;
    bool crashed_ = false; // its end is known, that of the connection not yet
    bool wants_to_leave_ = false;
};

} // namespace vireo::proxy
