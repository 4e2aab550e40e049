// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/reply.hpp"

#include "libshared/log.hpp"

#include <string_view>

namespace vireo::bus {

namespace {

/// The length of the UTF-8 sequence at the beginning of `text`, 0 where there is none (RFC 3629).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || text.size() < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
    const bool surrogate = first == 0xed && byte(1) >= 0xa0;
    const bool too_big = first == 0xf4 && byte(1) >= 0x90;
    return overlong || surrogate || too_big ? 0 : length;
}

std::string as_utf8(std::string text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = sequence_length(std::string_view(text).substr(i));
        if (length == 0) {
            text[i] = '?';
        }
        i += length == 0 ? 1 : length;
    }
    return text;
}

void set_error(sd_bus_error* error, bool native, const Error& e) {
    sd_bus_error_set(error,
                     native ? error_kind(e.code()).native_name : "org.libvirt.Error",
                     as_utf8(native ? e.what() : e.phrased()).c_str());
}

} // namespace

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
        set_error(error, native, e);
    } catch (const std::exception& e) {
        log::error("unexpected failure of a call on {}: {}",
                   interface == nullptr ? "-" : interface,
                   e.what());
        set_error(error, native, Error(ErrorCode::internal, "{}", e.what()));
    } catch (...) {
        log::error("unexpected failure of a call on {}", interface == nullptr ? "-" : interface);
        set_error(error, native, Error(ErrorCode::internal, "unknown exception"));
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

void Reply::fail(const std::exception_ptr& failure) noexcept {
    if (!call_) {
        return;
    }
    sd_bus_error error{};
    to_bus_error(&error,
                 failure,
                 interface_ != nullptr ? interface_ : sd_bus_message_get_interface(call_.get()));
    // A caller that has left is no failure of ours.
    sd_bus_reply_method_error(call_.get(), &error);
    sd_bus_error_free(&error);
    call_ = Message();
}

} // namespace vireo::bus
