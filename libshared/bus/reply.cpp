// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/reply.hpp"

#include "libshared/log.hpp"

#include <string_view>

namespace vireo::bus {

Caller caller_of(sd_bus_message* call) {
    const char* sender = sd_bus_message_get_sender(call);
    return Caller{sender == nullptr ? "" : sender, sd_bus_message_get_bus(call)};
}

void to_bus_error(sd_bus_error* error,
                  const std::exception_ptr& failure,
                  const char* interface) noexcept {
    const bool native =
        interface != nullptr && std::string_view(interface).starts_with("org.vireo.");
    try {
        std::rethrow_exception(failure);
    } catch (const Error& e) {
        if (native) {
            sd_bus_error_set(error, error_kind(e.code()).native_name, e.what());
        } else {
            sd_bus_error_set(error, "org.libvirt.Error", e.phrased().c_str());
        }
    } catch (const std::exception& e) {
        log::error("unexpected failure of a call on {}: {}",
                   interface == nullptr ? "-" : interface,
                   e.what());
        const Error wrapped(ErrorCode::internal, "{}", e.what());
        sd_bus_error_set(error,
                         native ? "org.vireo.Error.Internal" : "org.libvirt.Error",
                         native ? wrapped.what() : wrapped.phrased().c_str());
    } catch (...) {
        sd_bus_error_set(error, "org.libvirt.Error", "internal error: unknown exception");
    }
}

Reply::~Reply() {
    if (call_) {
        fail(std::make_exception_ptr(
            Error(ErrorCode::operation_aborted, "the daemon is stopping or the object is gone")));
    }
}

bool Reply::expected() const noexcept {
    return sd_bus_message_get_expect_reply(call_.get()) > 0;
}

Message Reply::begin() const {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_method_return(call_.get(), &message), "create a reply");
    return Message(message);
}

void Reply::finish(const Message& message) const {
    const int result = sd_bus_send(nullptr, message.get(), nullptr);
    if (result < 0 && result != -ENOTCONN && result != -ECONNRESET) {
        check(result, "send a reply");
    }
}

void Reply::send() {
    if (expected()) {
        finish(begin());
    }
    call_ = Message();
}

void Reply::send_made(const Message& message) {
    if (expected()) {
        finish(message);
    }
    call_ = Message();
}

void Reply::fail(const std::exception_ptr& failure, const char* interface) noexcept {
    sd_bus_error error{};
    to_bus_error(&error,
                 failure,
                 interface == nullptr ? sd_bus_message_get_interface(call_.get()) : interface);
    // A caller that has left is no failure of ours.
    sd_bus_reply_method_error(call_.get(), &error);
    sd_bus_error_free(&error);
    call_ = Message();
}

} // namespace vireo::bus
