// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/reply.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace vireo {

/// Tells when a client is gone: its bus name (the proxy says so) or, where it is connected to the
/// driver directly, its connection.
class Clients {
  public:
    /// Asks the proxy to be told of `name`.
    explicit Clients(std::function<void(const std::string& name)> ask) : ask_(std::move(ask)) {}

    Clients(const Clients&) = delete;
    Clients& operator=(const Clients&) = delete;

    /// Held as long as one wants to know; must not outlive the Clients.
    class Watch {
      public:
        Watch(Clients& clients, std::string key) : clients_(&clients), key_(std::move(key)) {}

        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        ~Watch() { clients_->forget(*this); }

      private:
        friend class Clients;
        Clients* clients_;
        std::string key_;
    };

    /// Calls `gone` once when `caller` has left.
    std::unique_ptr<Watch> watch(const bus::Caller& caller, std::function<void()> gone);

    /// For the daemon's connections: a bus name has left, a direct connection has ended.
    void name_left(const std::string& name) { left("name " + name); }

    void connection_ended(sd_bus* connection);

    /// Asks for every bus name that is watched once more: a new connection may be that of a proxy
    /// that knows nothing of them.
    void ask_again() const;

  private:
    void left(const std::string& key);
    void forget(const Watch& watch);
    static std::string key_of(sd_bus* connection);

    std::function<void(const std::string&)> ask_;
    std::multimap<std::string, std::pair<const Watch*, std::function<void()>>> watches_;
};

} // namespace vireo
