// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <systemd/sd-bus.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace vireo::bus {

struct BusDeleter {
    void operator()(sd_bus* bus) const noexcept { sd_bus_close_unref(bus); }
};

struct SlotDeleter {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};

struct MessageDeleter {
    void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};

/// Closes the connection when it dies.
using Bus = std::unique_ptr<sd_bus, BusDeleter>;
/// Takes the callback back when it dies.
using Slot = std::unique_ptr<sd_bus_slot, SlotDeleter>;

/// A counted reference to a message.
class Message {
  public:
    Message() = default;

    /// Takes over the reference.
    explicit Message(sd_bus_message* message) noexcept : message_(message) {}

    static Message share(sd_bus_message* message) noexcept {
        return Message(sd_bus_message_ref(message));
    }

    sd_bus_message* get() const noexcept { return message_.get(); }

    explicit operator bool() const noexcept { return message_ != nullptr; }

  private:
    std::unique_ptr<sd_bus_message, MessageDeleter> message_;
};

/// An object's path. Explicit: a string does not become one by itself.
class ObjectPath : public std::string {
  public:
    ObjectPath() = default;

    explicit ObjectPath(std::string path) : std::string(std::move(path)) {}
};

/// A signature as a value.
class Signature : public std::string {
  public:
    Signature() = default;

    explicit Signature(std::string text) : std::string(std::move(text)) {}
};

/// A descriptor in a message: borrowed by the message while it is sent (sd-bus duplicates it),
/// owned by the receiver.
class UnixFd {
  public:
    explicit UnixFd(Fd fd) : fd_(std::make_shared<Fd>(std::move(fd))) {}

    int get() const noexcept { return fd_->get(); }

    /// The descriptor itself; nobody else may hold this value.
    Fd take() { return std::move(*fd_); }

  private:
    std::shared_ptr<Fd> fd_;
};

class Variant;
/// `a{sv}` in the order in which it was filled.
using Dict = std::vector<std::pair<std::string, Variant>>;

/// A value that carries its type: what `a{sv}` holds. Reading one of another type than these
/// throws invalid_arg.
class Variant {
  public:
    using Value = std::variant<bool,
                               std::uint8_t,
                               std::int16_t,
                               std::uint16_t,
                               std::int32_t,
                               std::uint32_t,
                               std::int64_t,
                               std::uint64_t,
                               double,
                               std::string,
                               ObjectPath,
                               std::vector<std::string>,
                               std::vector<ObjectPath>,
                               std::vector<std::uint8_t>,
                               std::vector<std::uint64_t>,
                               std::vector<Variant>,
                               Dict>;

    template <class T>

    requires std::constructible_from<Value, T&&> &&
        (!std::same_as<std::remove_cvref_t<T>, Variant>)Variant(T&& value)
        : value_(std::forward<T>(value)) {} // NOLINT: a value is meant to convert

    // Out of line: each file that includes this would compile them anew, which takes a second.
    Variant(const Variant&);
    Variant(Variant&&) noexcept;
    Variant& operator=(const Variant&);
    Variant& operator=(Variant&&) noexcept;
    ~Variant();

    const Value& value() const noexcept { return value_; }

    template <class T>
    const T* get() const noexcept {
        return std::get_if<T>(&value_);
    }

    friend bool operator==(const Variant& a, const Variant& b);

  private:
    Value value_;
};

/// `a{sv}` with each value within one more variant: libvirt-dbus sends its typed parameters so, and
/// its clients unwrap twice. Only ever sent.
class LibvirtDict : public Dict {
  public:
    using Dict::Dict;
};

} // namespace vireo::bus
