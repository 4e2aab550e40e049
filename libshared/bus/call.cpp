// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/call.hpp"

#include <algorithm>

namespace vireo::bus {

Message new_call(sd_bus* connection,
                 const std::string& destination,
                 const std::string& path,
                 const std::string& interface,
                 const std::string& member) {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_method_call(connection,
                                         &message,
                                         destination.empty() ? nullptr : destination.c_str(),
                                         path.c_str(),
                                         interface.c_str(),
                                         member.c_str()),
          "create a call of " + member);
    return Message(message);
}

void Call::await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    sd_bus_slot* slot = nullptr;
    // 0 would be sd-bus's own time limit.
    const std::uint64_t limit = std::max<std::uint64_t>(to_usec(limit_), 1);
    check(sd_bus_call_async(connection_, &slot, call_.get(), &arrived, this, limit),
          fmt::format("call {}", sd_bus_message_get_member(call_.get())));
    slot_.reset(slot);
}

Message Call::await_resume() {
    const bool open = sd_bus_is_open(connection_) > 0;
    slot_.reset();
    const sd_bus_error* error = sd_bus_message_get_error(reply_.get());
    if (error == nullptr) {
        return std::move(reply_);
    }
    // sd-bus gives the same error for a time limit and for a connection that has ended.
    const bool late = open && (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY) > 0 ||
                               sd_bus_error_has_name(error, SD_BUS_ERROR_TIMEOUT) > 0);
    // A driver's refusal on a native interface is thrown as it was there.
    for (const ErrorKind& kind : error_kinds()) {
        if (sd_bus_error_has_name(error, kind.native_name) > 0 && error->message != nullptr) {
            throw Error(kind.code, "{}", error->message);
        }
    }
    throw Error(late ? ErrorCode::operation_timeout : ErrorCode::operation_failed,
                "{}: {} ({})",
                sd_bus_message_get_member(call_.get()),
                error->message == nullptr ? "no text" : error->message,
                error->name);
}

int Call::arrived(sd_bus_message* reply, void* context, sd_bus_error*) noexcept {
    auto* self = static_cast<Call*>(context);
    self->reply_ = Message::share(reply);
    self->waiter_.resume();
    return 1; // *self may be gone
}

} // namespace vireo::bus
