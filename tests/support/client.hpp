// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/codec.hpp"
#include "libshared/bus/types.hpp"

#include <systemd/sd-bus.h>

#include <chrono>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>

namespace vireo::test {

/// The error that a call was answered with.
class CallError : public std::runtime_error {
  public:
    CallError(std::string name, const std::string& message)
        : std::runtime_error(message), name_(std::move(name)) {}

    /// The D-Bus name, `org.libvirt.Error`; what() is the message.
    const std::string& name() const noexcept { return name_; }

  private:
    std::string name_;
};

/// Who is called: an interface of an object of a service. Peer to peer the service is empty.
struct Target {
    std::string service;
    std::string path;
    std::string interface;
};

/// The connection object of libvirt's API, where most tests begin.
inline const Target libvirt_connect{"org.libvirt", "/org/libvirt/QEMU", "org.libvirt.Connect"};

/// The same service's object at `path`: `libvirt_object(path, "org.libvirt.Domain")`.
Target libvirt_object(const bus::ObjectPath& path, const std::string& interface);

/// The signals that match a rule, from the creation of the watch on, in the order of their arrival.
class Watch {
  public:
    /// Takes the next signal and gives its arguments. Throws operation_timeout when none has come
    /// within `limit`.
    template <class... T>
    std::tuple<T...> next(std::chrono::milliseconds limit) {
        return bus::read_all<T...>(take(limit).get());
    }

    /// Takes signals until `wanted` is true for the arguments (a tuple) of one, and gives these.
    template <class... T, class Wanted>
    std::tuple<T...> next_where(Wanted wanted, std::chrono::milliseconds limit) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (true) {
            auto arguments = next<T...>(std::chrono::ceil<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now()));
            if (wanted(arguments)) {
                return arguments;
            }
        }
    }

    /// Takes the next signal as it is.
    bus::Message take(std::chrono::milliseconds limit);
    /// True if a signal that has not been taken is there; what has arrived by now counts.
    bool pending();

  private:
    friend class Client;

    struct State {
        sd_bus* bus = nullptr;
        std::string rule;
        std::deque<bus::Message> arrived;
    };

    Watch(sd_bus* bus, std::string rule);
    static int arrive(sd_bus_message* message, void* state, sd_bus_error* error) noexcept;

    std::unique_ptr<State> state_;
    bus::Slot slot_;
};

/// A blocking D-Bus client, for tests alone: the daemons never wait like this.
class Client {
  public:
    enum class Kind { bus, peer };

    /// Connects to a bus (`unix:path=…`), or peer to peer to a driver's socket.
    explicit Client(const std::string& address, Kind kind = Kind::bus);

    /// Calls a method and gives its one result, a tuple where `R` is one, or nothing. Throws
    /// CallError for an error reply; an answer may take 30 s.
    template <class R = void, class... A>
    R call(const Target& target, const char* method, const A&... arguments) {
        const bus::Message message = new_call(target, method);
        (append(message.get(), arguments), ...);
        const bus::Message reply = send(message);
        if constexpr (!std::is_void_v<R>) {
            return bus::read<R>(reply.get());
        }
    }

    /// The same for a method with more than one result.
    template <class... R, class... A>
    std::tuple<R...>
    call_many(const Target& target, const char* method, const std::tuple<A...>& arguments) {
        const bus::Message message = new_call(target, method);
        std::apply([&](const A&... argument) { (append(message.get(), argument), ...); },
                   arguments);
        return bus::read_all<R...>(send(message).get());
    }

    /// Reads one property.
    template <class T>
    T get(const Target& target, const char* property) {
        const bus::Message reply = get_property(target, property);
        check(sd_bus_message_enter_container(
                  reply.get(), SD_BUS_TYPE_VARIANT, bus::signature<T>.c_str()),
              property);
        return bus::read<T>(reply.get());
    }

    /// Watches a signal of the target.
    Watch watch(const Target& target, const char* signal);

    /// For a message that the calls above cannot make: fill it, then send() it.
    bus::Message new_call(const Target& target, const char* method);
    bus::Message send(const bus::Message& call);

    sd_bus* get() const noexcept { return bus_.get(); }

  private:
    static void append(sd_bus_message* message, const char* text) {
        bus::append(message, std::string(text));
    }

    template <class T>
    static void append(sd_bus_message* message, const T& value) {
        bus::append(message, value);
    }

    bus::Message get_property(const Target& target, const char* property);

    bus::Bus bus_;
};

/// Name and message of the error that the call ends with, or "no error".
template <class... A>
std::string error_of(Client& client, const Target& target, const char* method, const A&... a) {
    try {
        client.call(target, method, a...);
    } catch (const CallError& e) {
        return e.name() + ": " + e.what();
    }
    return "no error";
}

} // namespace vireo::test
