// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/driver_starter.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/log.hpp"

#include <systemd/sd-daemon.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

namespace vireo {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_failures = 5;
constexpr std::chrono::microseconds failure_window = 10s;

} // namespace

DriverStarter::DriverStarter(Loop& loop, Scope& tasks, DriverPlaces places, Events events)
    : loop_(loop), tasks_(tasks), places_(std::move(places)), events_(std::move(events)) {}

void DriverStarter::listen() {
    if (!places_.socket_unit.empty()) {
        throw Error(ErrorCode::operation_failed,
                    "systemd does not listen on '{0}': see why by 'systemctl status {1} {2}', then "
                    "'systemctl reset-failed {1} {2}' and 'systemctl start {1}'",
                    places_.socket,
                    places_.socket_unit,
                    places_.daemon + ".service");
    }
    socket_ = listen_unix(places_.socket);
    log::debug("listening on '{}' for {}", places_.socket, places_.daemon);
    watch();
}

Fd DriverStarter::reach() {
    if (auto refused = refusal()) {
        throw std::move(*refused);
    }
    Fd socket = connect_unix(places_.socket);
    if (!socket) {
        listen();
        socket = connect_unix(places_.socket);
    }
    if (!socket) {
        throw Error(ErrorCode::operation_failed, "nobody listens on '{}'", places_.socket);
    }
    return socket;
}

void DriverStarter::watch() {
    recovery_.reset();
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop_.get(), &source, socket_.get(), EPOLLIN, &on_connection, this),
          "watch a socket");
    watch_.reset(source);
}

int DriverStarter::on_connection(sd_event_source*, int, uint32_t, void* context) noexcept {
    auto& self = *static_cast<DriverStarter*>(context);
    self.watch_.reset();
    self.tasks_.spawn(self.run_once(), self.places_.daemon);
    return 0;
}

ProcessSpec DriverStarter::command() const {
    ProcessSpec spec;
    spec.program = places_.program;
    spec.arguments = places_.arguments;
    spec.environment.emplace();
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view text(*variable);
        // What systemd or the bus told us about ourselves is not true of the driver.
        if (!text.starts_with("LISTEN_") && !text.starts_with("NOTIFY_SOCKET=") &&
            !text.starts_with("WATCHDOG_") && !text.starts_with("DBUS_STARTER_")) {
            spec.environment->emplace_back(text);
        }
    }
    spec.environment->push_back("LISTEN_FDS=1");
    spec.environment->push_back("LISTEN_FDNAMES=" + places_.socket_name);
    spec.listen_pid = true;
    spec.descriptors.push_back({.fd = socket_.get(), .number = SD_LISTEN_FDS_START});
    spec.own_session = true; // it outlives the proxy, and the terminal that started that
    return spec;
}

Task<void> DriverStarter::run_once() {
    served_ = false;
    std::optional<Error> failure;
    try {
        ProcessSpec spec = command();
        auto starting = spawn(loop_, std::move(spec));
        Process process = co_await std::move(starting);
        log::debug("started {} as process {}", places_.daemon, process.pid());
        const ExitStatus how = co_await process.wait(loop_);
        ended(how);
    } catch (const Error& e) {
        failure = e;
    }
    if (failure) {
        fail(Error(ErrorCode::operation_failed,
                   "{} could not be started: {}",
                   places_.daemon,
                   failure->what()));
    }
}

void DriverStarter::ended(const ExitStatus& how) {
    if (!how.success()) {
        log::warning("{} ended: {}", places_.daemon, how.text());
        if (!served_) {
            fail(Error(ErrorCode::operation_failed,
                       "{} ended before it answered ({}): see its log",
                       places_.daemon,
                       how.text()));
            return;
        }
    }
    watch(); // a connection that came too late for it starts the next one
    if (!how.success()) {
        events_.crashed(how);
    }
}

void DriverStarter::fail(const Error& why) {
    failures_.push_back(loop_.now());
    if (failures_.size() > most_failures) {
        failures_.pop_front();
    }
    events_.failed(why);
    close_waiting_connections();
    if (refusal()) {
        log::error("{}: {} starts have failed within {} s, pausing",
                   places_.daemon,
                   most_failures,
                   std::chrono::duration_cast<std::chrono::seconds>(failure_window).count());
        watch_later();
    } else {
        watch();
    }
}

std::optional<Error> DriverStarter::refusal() const {
    if (failures_.size() < most_failures || loop_.now() - failures_.front() >= failure_window) {
        return std::nullopt;
    }
    return Error(ErrorCode::operation_failed,
                 "{} failed to start {} times within {} s: see its log, then try again",
                 places_.daemon,
                 most_failures,
                 std::chrono::duration_cast<std::chrono::seconds>(failure_window).count());
}

void DriverStarter::watch_later() {
    sd_event_source* source = nullptr;
    const auto due = failures_.front() + failure_window;
    check(sd_event_add_time(loop_.get(),
                            &source,
                            CLOCK_MONOTONIC,
                            static_cast<uint64_t>(due.count()),
                            1,
                            &on_recovered,
                            this),
          "add a timer");
    recovery_.reset(source);
}

int DriverStarter::on_recovered(sd_event_source*, uint64_t, void* context) noexcept {
    auto& self = *static_cast<DriverStarter*>(context);
    try {
        self.watch();
    } catch (const Error& e) {
        log::error("{}: {}", self.places_.daemon, e.what());
    }
    return 0;
}

void DriverStarter::close_waiting_connections() noexcept {
    while (Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK))) {
    }
}

} // namespace vireo
