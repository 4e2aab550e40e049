// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/open_call.hpp"

#include "libshared/bus/reply.hpp"
#include "proxy/body.hpp"
#include "proxy/routes.hpp"

#include <string_view>

namespace vireo::proxy {

namespace {

void send_to_caller(sd_bus_message* call, sd_bus_message* answer) {
    const int sent = sd_bus_send(sd_bus_message_get_bus(call), answer, nullptr);
    if (sent < 0 && sent != -ENOTCONN && sent != -ECONNRESET) {
        check(sent, "send an answer");
    }
}

/// sd-bus lets a sealed message go out on any connection, as it is.
bool fits_as_it_is(sd_bus_message* answer, sd_bus_message* call) noexcept {
    const char* const to = sd_bus_message_get_destination(answer);
    const char* const from = sd_bus_message_get_sender(call);
    return to != nullptr && from != nullptr && std::string_view(to) == from;
}

} // namespace

void answer_failure(sd_bus_message* call, const Error& why) noexcept {
    const char* const path = sd_bus_message_get_path(call);
    const bool native = path != nullptr && std::string_view(path).starts_with(native_root);
    sd_bus_error error{};
    bus::to_bus_error(
        &error, std::make_exception_ptr(why), native ? "org.vireo.Error" : "org.libvirt.Error");
    sd_bus_reply_method_error(call, &error); // a caller that has left is no failure
    sd_bus_error_free(&error);
}

void ForwardedCall::answered(sd_bus_message* answer, bool same_serial) {
    if (same_serial && fits_as_it_is(answer, request())) {
        send_to_caller(request(), answer);
        return;
    }
    const bus::Message copy = copy_answer(answer, request());
    send_to_caller(request(), copy.get());
}

void ForwardedCall::failed(const Error& why) {
    answer_failure(request(), why);
}

class MergedCall::Part final : public OpenCall {
  public:
    Part(bus::Message request, bool again, std::shared_ptr<MergedCall> whole)
        : OpenCall(std::move(request), again), whole_(std::move(whole)) {}

    void answered(sd_bus_message* answer, bool) override {
        if (!whole_->request_) {
            return; // another part has failed
        }
        if (sd_bus_message_is_method_error(answer, nullptr) > 0) {
            const bus::Message copy = copy_answer(answer, request());
            send_to_caller(request(), copy.get());
            whole_->request_ = bus::Message();
            return;
        }
        whole_->answers_.push_back(bus::Message::share(answer));
        --whole_->missing_;
        whole_->settle();
    }

    void failed(const Error& why) override {
        if (whole_->request_) {
            answer_failure(request(), why);
            whole_->request_ = bus::Message();
        }
    }

  private:
    std::shared_ptr<MergedCall> whole_;
};

std::vector<std::unique_ptr<OpenCall>>
MergedCall::split(bus::Message request, bool again, std::string element, std::size_t count) {
    const auto whole =
        std::make_shared<MergedCall>(bus::Message::share(request.get()), std::move(element));
    whole->missing_ = count;
    std::vector<std::unique_ptr<OpenCall>> parts;
    for (std::size_t i = 0; i < count; ++i) {
        parts.push_back(std::make_unique<Part>(bus::Message::share(request.get()), again, whole));
    }
    whole->settle();
    return parts;
}

void MergedCall::settle() {
    if (missing_ == 0) {
        const bus::Message merged = merge_answers(answers_, request_.get(), element_);
        send_to_caller(request_.get(), merged.get());
    }
}

} // namespace vireo::proxy
