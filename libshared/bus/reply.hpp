// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/codec.hpp"
#include "libshared/bus/types.hpp"

#include <exception>

namespace vireo::bus {

/// Who called. `name` is the unique bus name that the proxy passes on; a client that is connected
/// to the driver directly has none.
struct Caller {
    std::string name;
    sd_bus* connection;
};

Caller caller_of(sd_bus_message* call);

/// The only mapping of exceptions to D-Bus errors. On `org.vireo.*` an Error has its own name
/// (`org.vireo.Error.NoDomain`) and its text; elsewhere the name is `org.libvirt.Error` and
/// libvirt's phrase comes first. Any other exception is a bug: logged, and answered as internal
/// error. Bytes that are no UTF-8 (from files, from other programs) become '?': D-Bus would refuse
/// the whole reply.
void to_bus_error(sd_bus_error* error,
                  const std::exception_ptr& failure,
                  const char* interface) noexcept;

/// The one reply to a method call. Dropping it unanswered answers operation_aborted, so that a
/// cancelled call leaves no client hanging.
class Reply {
  public:
    /// `interface` decides how errors look where it is not the call's own: that of a property.
    explicit Reply(Message call, const char* interface = nullptr) noexcept
        : call_(std::move(call)), interface_(interface) {}

    Reply(Reply&& other) noexcept = default;
    Reply& operator=(Reply&&) = delete;
    ~Reply();

    void send();

    template <class T>
    void send(const T& value) {
        if (expected()) {
            const Message message = begin();
            append(message.get(), value);
            finish(message);
        }
        call_ = Message();
    }

    /// Sends a reply that was made elsewhere from the same call.
    void send_made(const Message& message);
    void fail(const std::exception_ptr& failure) noexcept;

  private:
    bool expected() const noexcept;
    Message begin() const;
    void finish(const Message& message) const;

    Message call_; // empty once answered
    const char* interface_;
};

} // namespace vireo::bus
