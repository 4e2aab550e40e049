// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/bus/codec.hpp"
#include "libshared/bus/types.hpp"

#include <chrono>
#include <string>

namespace vireo::bus {

/// A method call to be sent; `destination` is empty on a peer-to-peer connection.
Message new_call(sd_bus* connection,
                 const std::string& destination,
                 const std::string& path,
                 const std::string& interface,
                 const std::string& member);

template <class... A>
Message new_call(sd_bus* connection,
                 const std::string& destination,
                 const std::string& path,
                 const std::string& interface,
                 const std::string& member,
                 const A&... arguments) {
    Message call = new_call(connection, destination, path, interface, member);
    (append(call.get(), arguments), ...);
    return call;
}

/// `Message reply = co_await Call(connection, std::move(call), 10s);` Throws operation_failed with
/// the error's name and text where the reply is an error, what a driver threw where it is one of
/// org.vireo.Error's, operation_timeout where none comes.
/// Cancelling drops the reply.
class Call {
  public:
    Call(sd_bus* connection, Message call, std::chrono::microseconds limit)
        : connection_(connection), call_(std::move(call)), limit_(limit) {}

    bool await_ready() const noexcept { return false; }

    void await_suspend(std::coroutine_handle<> waiter);
    Message await_resume();

  private:
    static int arrived(sd_bus_message* reply, void* self, sd_bus_error* error) noexcept;
    sd_bus* connection_;
    Message call_;
    std::chrono::microseconds limit_;
    std::coroutine_handle<> waiter_;
    Slot slot_;
    Message reply_;
};

} // namespace vireo::bus
