// SPDX-License-Identifier: LGPL-2.1-or-later
#include "proxy/driver_link.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "proxy/body.hpp"
#include "proxy/listeners.hpp"

#include <cerrno>
#include <cstring>

namespace vireo::proxy {

namespace {

constexpr const char* driver_path = "/org/vireo/Driver";
constexpr const char* driver_interface = "org.vireo.Driver1";
constexpr const char* local_interface = "org.freedesktop.DBus.Local";
// A driver that leaves just when a connection comes closes it unserved; a new one meets its
// successor. More in a row than this is a driver that does not work.
constexpr unsigned most_attempts = 3;
// A driver that crashes again within this time after it was revived waits for the next call.
constexpr std::chrono::microseconds revival_pause = std::chrono::seconds(10);

bool gone(int sent) noexcept {
    return sent == -ECONNRESET || sent == -ENOTCONN || sent == -EPIPE || sent == -ESHUTDOWN;
}

bool is(sd_bus_message* message, const char* interface, const char* member) noexcept {
    return sd_bus_message_is_signal(message, interface, member) > 0;
}

} // namespace

DriverLink::DriverLink(Loop& loop,
                       Scope& tasks,
                       DriverPlaces places,
                       std::chrono::microseconds start_limit,
                       Events events)
    : loop_(loop),
      start_limit_(start_limit),
      events_(std::move(events)),
      starter_(loop,
               tasks,
               std::move(places),
               {.failed = [this](const Error& why) { start_failed(why); },
                .crashed = [this](const ExitStatus& how) { crashed(how); }}),
      retired_(loop) {}

DriverLink::~DriverLink() = default;

void DriverLink::submit(std::unique_ptr<OpenCall> call) {
    if (state_ == State::ready) {
        transmit(std::move(call));
        return;
    }
    waiting_.push_back(std::move(call));
    if (state_ == State::disconnected) {
        connect();
    }
}

void DriverLink::connect_if_running() {
    // Where the socket is ours, whoever connects is served by a driver of ours.
    if (state_ != State::disconnected || starter_.listening() ||
        !instance_runs(starter_.places().lock)) {
        return;
    }
    try {
        if (Fd socket = connect_unix(starter_.places().socket)) {
            open_connection(std::move(socket));
        }
    } catch (const Error& e) {
        log::warning("{}: {}", daemon(), e.what());
    }
}

void DriverLink::listen_if_nobody_does(std::string_view sockets) {
    const std::string& path = starter_.places().socket;
    // The second look is for a listener in another network namespace.
    if (!is_listening(sockets, path) && !connect_unix(path)) {
        starter_.listen();
    }
}

void DriverLink::connect() {
    try {
        open_connection(starter_.reach());
    } catch (Error& e) {
        fail_waiting(e.within(fmt::format("reach {}", daemon())));
    }
}

void DriverLink::open_connection(Fd socket) {
    PeerConnection connection =
        open_peer(loop_,
                  std::move(socket),
                  {.handler = &on_message, .context = this, .connected_signal = true});
    sd_event_source* timer = nullptr;
    check(sd_event_add_time_relative(loop_.get(),
                                     &timer,
                                     CLOCK_MONOTONIC,
                                     static_cast<uint64_t>(start_limit_.count()),
                                     1,
                                     &on_start_limit,
                                     this),
          "add a timer");
    timer_.reset(timer);
    connection_ = std::move(connection);
    state_ = State::connecting;
}

int DriverLink::on_start_limit(sd_event_source*, uint64_t, void* context) noexcept {
    auto& self = *static_cast<DriverLink*>(context);
    self.retire_connection();
    self.fail_waiting(
        Error(ErrorCode::operation_timeout,
              "{} did not answer within {} s of being started",
              self.daemon(),
              std::chrono::duration_cast<std::chrono::seconds>(self.start_limit_).count()));
    return 0;
}

int DriverLink::on_message(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& self = *static_cast<DriverLink*>(context);
    try {
        return self.take(message) ? 1 : 0;
    } catch (const std::exception& e) {
        log::error("message from {}: {}", self.daemon(), e.what());
        return 1;
    }
}

bool DriverLink::take(sd_bus_message* message) {
    uint8_t type = 0;
    check(sd_bus_message_get_type(message, &type), "read a message");
    if (type == SD_BUS_MESSAGE_METHOD_RETURN || type == SD_BUS_MESSAGE_METHOD_ERROR) {
        take_answer(message);
        return true;
    }
    if (type == SD_BUS_MESSAGE_SIGNAL) {
        take_signal(message);
        return true;
    }
    return false; // nothing is served here: sd-bus says so
}

void DriverLink::take_answer(sd_bus_message* answer) {
    uint64_t serial = 0;
    check(sd_bus_message_get_reply_cookie(answer, &serial), "read an answer");
    auto found = open_.extract(serial);
    if (found) {
        const Sent& sent = found.mapped();
        sent.call->answered(answer, sent.same_serial);
        leave_if_done();
    }
}

void DriverLink::take_signal(sd_bus_message* signal) {
    if (is(signal, local_interface, "Connected")) {
        connected();
    } else if (is(signal, local_interface, "Disconnected")) {
        disconnected();
    } else if (is(signal, driver_interface, "WatchClient")) {
        const char* client = nullptr;
        check(sd_bus_message_read(signal, "s", &client), "read WatchClient");
        watched_.emplace(client);
        events_.watch(client);
    } else if (is(signal, driver_interface, "Idle")) {
        wants_to_leave_ = true;
        leave_if_done();
    } else {
        events_.signal(signal);
    }
}

void DriverLink::connected() {
    timer_.reset();
    attempts_ = 0;
    state_ = State::ready;
    starter_.served();
    for (auto& call : std::exchange(waiting_, {})) {
        submit(std::move(call)); // one that finds the connection broken again waits again
    }
}

void DriverLink::disconnected() {
    const bool was_ready = state_ == State::ready;
    retire_connection();
    if (was_ready) {
        const Error why(ErrorCode::operation_failed,
                        "{} ended unexpectedly before it answered the call",
                        daemon());
        for (auto& [serial, sent] : std::exchange(open_, {})) {
            if (sent.call->take_second_try()) {
                waiting_.push_back(std::move(sent.call));
            } else {
                sent.call->failed(why);
            }
        }
    } else if (++attempts_ >= most_attempts) {
        attempts_ = 0;
        fail_waiting(Error(
            ErrorCode::operation_failed, "{} closed the connection before it answered", daemon()));
    }
    // Nobody listens after a driver that a former proxy had started.
    const bool crashed = std::exchange(crashed_, false) ||
                         (was_ready && !starter_.listening() &&
                          !is_listening(read_file(socket_table), starter_.places().socket));
    if (!waiting_.empty()) {
        connect();
    } else if (crashed) {
        revive();
    }
}

void DriverLink::retire_connection() {
    state_ = State::disconnected;
    timer_.reset();
    connection_.filter.reset();
    watched_.clear();
    wants_to_leave_ = false;
    retired_.add(std::move(connection_.bus));
}

void DriverLink::transmit(std::unique_ptr<OpenCall> call) {
    sd_bus_message* const request = call->request();
    uint64_t serial = 0;
    check(sd_bus_message_get_cookie(request, &serial), "read a call");
    const bool answer = sd_bus_message_get_expect_reply(request) > 0;
    const bool same_serial = !answer || !open_.contains(serial);
    int sent = 0;
    if (same_serial) {
        // A received message is sealed; sd-bus sends such a one as it is, on any connection.
        sent = sd_bus_send(connection_.bus.get(), request, nullptr);
    } else {
        serial = free_serial();
        sent = send_copy(request, static_cast<std::uint32_t>(serial));
    }
    if (gone(sent)) {
        waiting_.push_back(std::move(call)); // Disconnected follows
        return;
    }
    if (sent < 0) {
        call->failed(Error(ErrorCode::operation_failed,
                           "{} takes no more calls: {}",
                           daemon(),
                           std::strerror(-sent)));
        return;
    }
    wants_to_leave_ = false;
    if (answer) {
        open_.emplace(serial, Sent{std::move(call), same_serial});
    }
}

int DriverLink::send_copy(sd_bus_message* request, std::uint32_t serial) {
    const bus::Message copy = copy_call(request, connection_.bus.get(), serial);
    return sd_bus_send(connection_.bus.get(), copy.get(), nullptr);
}

std::uint32_t DriverLink::free_serial() {
    do {
        last_serial_ = last_serial_ == UINT32_MAX ? 0x8000'0000 : last_serial_ + 1;
    } while (open_.contains(last_serial_));
    return last_serial_;
}

void DriverLink::fail_waiting(const Error& why) {
    for (auto& call : std::exchange(waiting_, {})) {
        call->failed(why);
    }
}

void DriverLink::start_failed(const Error& why) {
    if (state_ == State::connecting) {
        retire_connection();
        fail_waiting(why);
    }
}

void DriverLink::crashed(const ExitStatus&) {
    if (state_ == State::disconnected) {
        revive();
    } else {
        crashed_ = state_ == State::ready;
    }
}

/// Its successor takes care of what it left, and signals go on.
void DriverLink::revive() {
    if (!revived_at_ || loop_.now() - *revived_at_ >= revival_pause) {
        revived_at_ = loop_.now();
        connect();
    }
}

void DriverLink::client_left(std::string_view client) {
    const auto watched = watched_.find(client);
    if (state_ != State::ready || watched == watched_.end()) {
        return;
    }
    const std::string name = *watched;
    watched_.erase(watched);
    sd_bus_message* made = nullptr;
    check(sd_bus_message_new_method_call(
              connection_.bus.get(), &made, nullptr, driver_path, driver_interface, "ClientLeft"),
          "create a call");
    const bus::Message call(made);
    check(sd_bus_message_append(made, "s", name.c_str()), "fill a call");
    check(sd_bus_message_set_expect_reply(made, 0), "set up a call");
    const int sent = sd_bus_send(connection_.bus.get(), made, nullptr);
    if (sent < 0 && !gone(sent)) {
        check(sent, "send a call");
    }
}

void DriverLink::leave_if_done() {
    uint64_t unsent = 0;
    if (!wants_to_leave_ || state_ != State::ready || !open_.empty() || !waiting_.empty() ||
        sd_bus_get_n_queued_write(connection_.bus.get(), &unsent) < 0 || unsent > 0) {
        return;
    }
    retire_connection();
}

} // namespace vireo::proxy
