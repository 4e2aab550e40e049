// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/contract.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

/// Where a call goes: pure functions of the contract and of the call's header.
namespace vireo::proxy {

/// Where ObjectManager answers for all native objects.
inline constexpr std::string_view native_root = "/org/vireo";

/// A few different names of the contract, kept without a heap since every call makes two.
class Names {
  public:
    /// Does nothing with an empty name or one that is there. A call that needs more than eight
    /// drivers or actions is a mistake of the contract; a test keeps it from that.
    void add(std::string_view name) noexcept;

    const std::string_view* begin() const noexcept { return names_.data(); }

    const std::string_view* end() const noexcept { return names_.data() + size_; }

    std::size_t size() const noexcept { return size_; }

    bool empty() const noexcept { return size_ == 0; }

    std::string_view front() const noexcept { return names_[0]; }

  private:
    std::array<std::string_view, 8> names_;
    std::uint8_t size_ = 0;
};

/// A method call's header; `interface` is empty where the caller left it out.
struct CallHeader {
    std::string_view path, interface, member, signature;
};

/// What Properties.Get, Set and GetAll say first: they are routed by it. `property` is empty for
/// GetAll, and `interface` may be, which means any.
struct PropertyName {
    std::string_view interface, property;
};

enum class Handling : std::uint8_t {
    forward,    // one driver; its answer is the answer
    merge,      // each of the drivers; the arrays that they answer are put together
    introspect, // the contract answers
    peer,       // org.freedesktop.DBus.Peer: sd-bus answers
    refuse,
};

struct Route {
    Handling handling = Handling::refuse;
    Names drivers;
    Names actions;                  // the caller needs each of them
    std::string_view secure_action; // and this where bit 0 of the last argument, flags, is set
    const char* error = nullptr;    // refuse: the D-Bus name of the error
    std::string message;            // and its text
};

/// Whether the call is one of Properties whose name the route depends on.
bool names_property(const CallHeader& call) noexcept;

/// The route of a call that does not name a property.
Route route_call(const CallHeader& call);
/// The route of Properties.Get, Set or GetAll.
Route route_property(const CallHeader& call, const PropertyName& name);

/// Whether nothing is different after the call, so that it may be carried out twice.
bool only_reads(const Route& route) noexcept;

/// Whether a driver's signal goes out on the bus: only what the contract gives to that driver, and
/// the standard signals about its objects.
bool passes_signal(std::string_view driver,
                   std::string_view path,
                   std::string_view interface,
                   std::string_view member) noexcept;

/// Whether there is anything at or below this path. Says nothing of an object's existence.
bool known_path(std::string_view path) noexcept;

} // namespace vireo::proxy
