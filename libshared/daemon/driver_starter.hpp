// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/process.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/daemon/driver_places.hpp"
#include "libshared/error.hpp"
#include "libshared/fd.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <optional>

namespace vireo {

/// Stands in for systemd where that does not listen on a driver's socket: listens itself, starts
/// the driver when somebody connects, and hands it the socket as systemd does (sd_listen_fds(3)).
/// The listening socket stays open here while the driver runs, so that no connection is lost
/// between two of its lives.
class DriverStarter {
  public:
    /// `failed` is told why a driver ended before it served anybody; what waits in the socket's
    /// queue is closed after that. `crashed` is told how one ended that had served.
    struct Events {
        std::function<void(const Error& why)> failed;
        std::function<void(const ExitStatus& how)> crashed;
    };

    DriverStarter(Loop& loop, Scope& tasks, DriverPlaces places, Events events);

    const DriverPlaces& places() const noexcept { return places_; }

    /// Takes the socket over. Throws system_error; operation_failed with what to do where that is
    /// systemd's part, since a driver that was started from here would have this daemon's limits.
    void listen();

    bool listening() const noexcept { return static_cast<bool>(socket_); }

    /// The driver that runs now has accepted a connection.
    void served() noexcept { served_ = true; }

    /// A connection to the driver's socket, which is taken over where nobody listens on it. Throws
    /// as listen(), and operation_failed while no start is tried: too many have failed within a
    /// short time.
    Fd reach();

  private:
    std::optional<Error> refusal() const;
    static int on_connection(sd_event_source*, int, uint32_t, void* self) noexcept;
    static int on_recovered(sd_event_source*, uint64_t, void* self) noexcept;
    void watch();
    void watch_later();
    Task<void> run_once();
    ProcessSpec command() const;
    void ended(const ExitStatus& how);
    void fail(const Error& why);
    void close_waiting_connections() noexcept;

    Loop& loop_;
    Scope& tasks_;
    DriverPlaces places_;
    Events events_;
    Fd socket_;
    Source watch_;
    Source recovery_;
    bool served_ = false;
    std::deque<std::chrono::microseconds> failures_; // when, the last few
};

} // namespace vireo
