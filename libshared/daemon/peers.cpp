// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/peers.hpp"

#include "libshared/bus/codec.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/log.hpp"

#include <systemd/sd-id128.h>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace vireo {

namespace {

using namespace std::chrono_literals;

constexpr const char* bus_interface = "org.freedesktop.DBus";

/// What a client of a message bus does first, whether it needs it or not.
bool answer_as_bus(sd_bus_message* call, std::uint64_t number) {
    if (sd_bus_message_is_method_call(call, bus_interface, "Hello") > 0) {
        sd_bus_reply_method_return(call, "s", fmt::format(":0.{}", number).c_str());
        return true;
    }
    if (sd_bus_message_is_method_call(call, bus_interface, "AddMatch") > 0 ||
        sd_bus_message_is_method_call(call, bus_interface, "RemoveMatch") > 0) {
        sd_bus_reply_method_return(call, ""); // each peer gets every signal
        return true;
    }
    return false;
}

/// sd_bus_flush(3) waits for ever for a client that does not read.
void flush(sd_bus* connection, std::chrono::steady_clock::time_point deadline) noexcept {
    std::uint64_t queued = 0;
    while (sd_bus_get_n_queued_write(connection, &queued) >= 0 && queued > 0) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd writable{.fd = sd_bus_get_fd(connection), .events = POLLOUT, .revents = 0};
        if (left <= 0ms || ::poll(&writable, 1, static_cast<int>(left.count())) <= 0 ||
            sd_bus_process(connection, nullptr) < 0) {
            return;
        }
    }
}

} // namespace

Peers::Peers(Loop& loop,
             bus::ObjectTree& objects,
             Clients& clients,
             std::function<void()> active,
             std::function<void()> left)
    : loop_(loop),
      objects_(objects),
      clients_(clients),
      active_(std::move(active)),
      left_(std::move(left)) {}

Peers::~Peers() {
    close();
}

void Peers::close() noexcept {
    const auto deadline = std::chrono::steady_clock::now() + 1s;
    source_.reset();
    resume_.reset();
    socket_.reset();
    for (const auto& peer : peers_) { // nothing is served from here on
        objects_.detach(peer->connection.get());
        peer->filter.reset();
    }
    for (const auto& peer : peers_) {
        flush(peer->connection.get(), deadline);
    }
    peers_.clear();
}

bool Peers::waiting() const noexcept {
    pollfd listening{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&listening, 1, 0) > 0;
}

void Peers::listen(Fd socket) {
    sd_event_source* source = nullptr;
    check(sd_event_add_io(loop_.get(), &source, socket.get(), EPOLLIN, &on_connect, this),
          "watch the socket");
    source_.reset(source);
    socket_ = std::move(socket);
}

int Peers::on_connect(sd_event_source*, int fd, uint32_t, void* context) noexcept {
    auto& self = *static_cast<Peers*>(context);
    Fd connection(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!connection) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            log::error("accept a connection: {}", std::strerror(errno));
            self.pause();
        }
        return 0;
    }
    try {
        self.active_();
        self.accept(std::move(connection));
    } catch (const std::exception& e) {
        log::error("accept a connection: {}", e.what());
    }
    return 0;
}

/// Out of descriptors or memory: the client still waits, and would be tried again without end.
void Peers::pause() {
    sd_event_source* source = nullptr;
    if (sd_event_add_time_relative(
            loop_.get(), &source, CLOCK_MONOTONIC, to_usec(100ms), 1, &on_resume, this) >= 0) {
        resume_.reset(source);
        sd_event_source_set_enabled(source_.get(), SD_EVENT_OFF);
    }
}

int Peers::on_resume(sd_event_source*, uint64_t, void* context) noexcept {
    sd_event_source_set_enabled(static_cast<Peers*>(context)->source_.get(), SD_EVENT_ON);
    return 0;
}

void Peers::accept(Fd connection) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    check_errno(getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size),
                "ask who connects");
    if (credentials.uid != 0 && credentials.uid != geteuid()) {
        log::warning(
            "refused a connection of process {}, user {}: only root and user {} may connect",
            credentials.pid,
            credentials.uid,
            geteuid());
        return;
    }
    sd_bus* raw = nullptr;
    check(sd_bus_new(&raw), "create a connection");
    auto peer = std::make_unique<Peer>(Peer{*this, ++accepted_, bus::Bus(raw), {}, {}});
    check(sd_bus_set_fd(raw, connection.get(), connection.get()), "set up a connection");
    const bool from_driver = is_from_driver(connection.get());
    connection.release(); // sd-bus closes it
    sd_id128_t id{};
    check(sd_id128_randomize(&id), "make an id");
    check(sd_bus_set_server(raw, 1, id), "set up a connection");
    check(sd_bus_negotiate_fds(raw, 1), "set up a connection");
    // Calls are answered after the loop has ended; sd-bus would close it before, and wait for it.
    check(sd_bus_set_close_on_exit(raw, 0), "set up a connection");
    check(sd_bus_start(raw), "start a connection");
    check(sd_bus_attach_event(raw, loop_.get(), SD_EVENT_PRIORITY_NORMAL), "attach a connection");
    objects_.attach(raw);
    peers_.push_back(std::move(peer));
    // After the tree's: sd-bus runs the filter added last first.
    sd_bus_slot* slot = nullptr;
    check(sd_bus_add_filter(raw, &slot, &on_message, peers_.back().get()), "watch a connection");
    peers_.back()->filter.reset(slot);
    if (!from_driver) {
        objects_.started(raw); // before: what was kept is not told twice
    }
    clients_.ask_again();
}

int Peers::on_message(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
    auto& peer = *static_cast<Peer*>(context);
    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
        // sd-bus is still using the connection: free it from the loop.
        sd_event_source* source = nullptr;
        if (sd_event_add_defer(peer.owner.loop_.get(), &source, &on_removal, &peer) >= 0) {
            peer.removal.reset(source);
        }
        return 1;
    }
    peer.owner.active_();
    return answer_as_bus(message, peer.number) ? 1 : 0;
}

int Peers::on_removal(sd_event_source*, void* context) noexcept {
    auto* peer = static_cast<Peer*>(context);
    Peers& self = peer->owner;
    self.objects_.detach(peer->connection.get());
    self.clients_.connection_ended(peer->connection.get());
    std::erase_if(self.peers_, [&](const auto& entry) { return entry.get() == peer; });
    try {
        self.left_();
    } catch (const std::exception& e) {
        log::error("a connection has ended: {}", e.what());
    }
    return 0;
}

} // namespace vireo
