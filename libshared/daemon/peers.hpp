// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/bus/tree.hpp"
#include "libshared/bus/types.hpp"
#include "libshared/daemon/clients.hpp"
#include "libshared/fd.hpp"

#include <functional>
#include <list>
#include <memory>
#include <string>

namespace vireo {

/// The connections to a driver's socket: D-Bus peer to peer, sd-bus in server mode. Only root and
/// the daemon's own user are let in (SO_PEERCRED). `Hello` is answered, so that `busctl --address=`
/// works.
class Peers {
  public:
    /// `active` is called for each message that comes, `left` when a connection has ended.
    Peers(Loop& loop,
          bus::ObjectTree& objects,
          Clients& clients,
          std::function<void()> active,
          std::function<void()> left);
    ~Peers();
    Peers(const Peers&) = delete;
    Peers& operator=(const Peers&) = delete;

    void listen(Fd socket);
    /// Listens no more, sends what is still to be sent, for a second at most, and drops all
    /// connections.
    void close() noexcept;

    bool empty() const noexcept { return peers_.empty(); }

    /// True where somebody has connected whom the loop has not let in yet.
    bool waiting() const noexcept;

  private:
    struct Peer {
        Peers& owner;
        std::uint64_t number;
        bus::Bus connection;
        bus::Slot filter;
        Source removal;
    };

    static int on_connect(sd_event_source* source, int fd, uint32_t events, void* self) noexcept;
    static int on_message(sd_bus_message* message, void* peer, sd_bus_error* error) noexcept;
    static int on_removal(sd_event_source* source, void* peer) noexcept;
    static int on_resume(sd_event_source* source, uint64_t usec, void* self) noexcept;
    void accept(Fd connection);
    void pause();

    Loop& loop_;
    bus::ObjectTree& objects_;
    Clients& clients_;
    std::function<void()> active_;
    std::function<void()> left_;
    std::list<std::unique_ptr<Peer>> peers_;
    std::uint64_t accepted_ = 0;
    Fd socket_;
    Source source_;
    Source resume_;
};

} // namespace vireo
