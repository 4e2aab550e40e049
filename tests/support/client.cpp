// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/client.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace vireo::test {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::microseconds answer_limit = 30s;

/// Handles what has arrived; waits at most `limit` for something to arrive.
void process(sd_bus* bus, std::chrono::microseconds limit) {
    if (check(sd_bus_process(bus, nullptr), "process the bus") > 0) {
        return;
    }
    const int result = sd_bus_wait(bus, static_cast<std::uint64_t>(std::max(limit, 0us).count()));
    if (result != -EINTR) {
        check(result, "wait for the bus");
    }
}

} // namespace

Target libvirt_object(const bus::ObjectPath& path, const std::string& interface) {
    return {libvirt_connect.service, path, interface};
}

Watch::Watch(sd_bus* bus, std::string rule) : state_(std::make_unique<State>()) {
    state_->bus = bus;
    state_->rule = std::move(rule);
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_match(bus, &slot, state_->rule.c_str(), &Watch::arrive, state_.get()),
          fmt::format("watch {}", state_->rule));
    slot_.reset(slot);
}

int Watch::arrive(sd_bus_message* message, void* state, sd_bus_error*) noexcept {
    static_cast<State*>(state)->arrived.push_back(bus::Message::share(message));
    return 0;
}

bus::Message Watch::take(std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (state_->arrived.empty()) {
        const auto left = std::chrono::ceil<std::chrono::microseconds>(
            deadline - std::chrono::steady_clock::now());
        if (left <= 0us) {
            throw Error(ErrorCode::operation_timeout,
                        "no signal {} within {} ms",
                        state_->rule,
                        limit.count());
        }
        process(state_->bus, left);
    }
    bus::Message message = std::move(state_->arrived.front());
    state_->arrived.pop_front();
    return message;
}

bool Watch::pending() {
    while (check(sd_bus_process(state_->bus, nullptr), "process the bus") > 0) {
    }
    return !state_->arrived.empty();
}

Client::Client(const std::string& address, Kind kind) {
    sd_bus* bus = nullptr;
    check(sd_bus_new(&bus), "make a connection");
    bus_.reset(bus);
    check(sd_bus_set_address(bus, address.c_str()), fmt::format("use the address {}", address));
    check(sd_bus_set_bus_client(bus, kind == Kind::bus), "choose the kind of connection");
    check(sd_bus_negotiate_fds(bus, true), "ask for descriptors");
    check(sd_bus_start(bus), fmt::format("connect to {}", address));
    check(sd_bus_set_method_call_timeout(bus, answer_limit.count()), "set the time limit");
}

bus::Message Client::new_call(const Target& target, const char* method) {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_method_call(bus_.get(),
                                         &message,
                                         target.service.empty() ? nullptr : target.service.c_str(),
                                         target.path.c_str(),
                                         target.interface.c_str(),
                                         method),
          fmt::format("make a call of {}", method));
    return bus::Message(message);
}

bus::Message Client::send(const bus::Message& call) {
    sd_bus_error error{};
    sd_bus_message* reply = nullptr;
    const int result = sd_bus_call(bus_.get(), call.get(), 0, &error, &reply);
    if (result < 0) {
        CallError failure(error.name == nullptr ? "" : error.name,
                          error.message == nullptr ? "" : error.message);
        sd_bus_error_free(&error);
        throw failure;
    }
    return bus::Message(reply);
}

bus::Message Client::get_property(const Target& target, const char* property) {
    const Target properties{target.service, target.path, "org.freedesktop.DBus.Properties"};
    const bus::Message message = new_call(properties, "Get");
    bus::append(message.get(), target.interface);
    bus::append(message.get(), std::string(property));
    return send(message);
}

Watch Client::watch(const Target& target, const char* signal) {
    std::string rule = fmt::format("type='signal',path='{}',interface='{}',member='{}'",
                                   target.path,
                                   target.interface,
                                   signal);
    if (!target.service.empty()) {
        rule += fmt::format(",sender='{}'", target.service);
    }
    return Watch(bus_.get(), std::move(rule));
}

} // namespace vireo::test
