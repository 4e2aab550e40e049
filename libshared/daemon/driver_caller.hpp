// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "libshared/bus/call.hpp"
#include "libshared/daemon/driver_starter.hpp"
#include "libshared/daemon/peer_connection.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace vireo {

/// One daemon as a client of another: D-Bus peer to peer over that one's private socket. Where
/// nobody listens there it listens itself and starts the driver, as the proxy does.
class DriverCaller {
  public:
    DriverCaller(Loop& loop, DriverPlaces places);
    DriverCaller(const DriverCaller&) = delete;
    DriverCaller& operator=(const DriverCaller&) = delete;

    /// A connection on which the driver answers; it is held for as long as there is something to
    /// ask, so that the driver may leave when nobody needs it. It may outlive this client.
    class Connection {
      public:
        Connection(std::shared_ptr<DriverCaller*> owner, bus::Bus bus)
            : owner_(std::move(owner)), bus_(std::move(bus)) {}

        Connection(const Connection&) = delete;
        Connection& operator=(const Connection&) = delete;
        ~Connection();

        sd_bus* get() const noexcept { return bus_.get(); }

      private:
        std::shared_ptr<DriverCaller*> owner_; // null once that has gone
        bus::Bus bus_;
    };

    using ConnectionPtr = std::shared_ptr<Connection>;

    /// Connects, and starts the driver where it does not run. Throws operation_timeout where it
    /// does not answer within 30 s, operation_failed where it cannot be started; both name it.
    Task<ConnectionPtr> connect();

    ~DriverCaller();

  private:
    ConnectionPtr open();

    Loop& loop_;
    Scope tasks_;
    DriverStarter starter_;
    std::string problem_; // why the last start failed
    RetiredConnections retired_;
    std::shared_ptr<DriverCaller*> self_;
};

/// A call on such a connection, and its reply.
template <class... A>
bus::Call driver_call(const DriverCaller::ConnectionPtr& connection,
                      std::chrono::microseconds limit,
                      const std::string& path,
                      const std::string& interface,
                      const std::string& member,
                      const A&... arguments) {
    return bus::Call(
        connection->get(),
        bus::new_call(connection->get(), std::string(), path, interface, member, arguments...),
        limit);
}

/// A property of an object there.
template <class T>
Task<T> driver_property(DriverCaller::ConnectionPtr connection,
                        std::chrono::microseconds limit,
                        std::string path,
                        std::string interface,
                        std::string name) {
    const std::string properties = "org.freedesktop.DBus.Properties";
    const std::string get = "Get";
    const bus::Message reply =
        co_await driver_call(connection, limit, path, properties, get, interface, name);
    check(
        sd_bus_message_enter_container(reply.get(), SD_BUS_TYPE_VARIANT, bus::signature<T>.c_str()),
        "read property " + name);
    co_return bus::read<T>(reply.get());
}

} // namespace vireo
