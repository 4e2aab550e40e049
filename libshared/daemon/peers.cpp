// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/peers.hpp"

#include "libshared/bus/codec.hpp"
#include "libshared/log.hpp"

#include <systemd/sd-id128.h>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vireo {

namespace {

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
    for (const auto& peer : peers_) {
        sd_bus_flush(peer->connection.get());
        objects_.detach(peer->connection.get());
    }
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
    auto peer = std::make_unique<Peer>(Peer{*this, bus::Bus(raw), {}, {}});
    const int fd = connection.release(); // sd-bus closes it
    check(sd_bus_set_fd(raw, fd, fd), "set up a connection");
    sd_id128_t id{};
    check(sd_id128_randomize(&id), "make an id");
    check(sd_bus_set_server(raw, 1, id), "set up a connection");
    check(sd_bus_negotiate_fds(raw, 1), "set up a connection");
    sd_bus_slot* slot = nullptr;
    objects_.attach(raw); // before the filter below: sd-bus runs the filter added last first
    ++accepted_;
    check(sd_bus_add_filter(raw, &slot, &on_message, peer.get()), "watch a connection");
    peer->filter.reset(slot);
    check(sd_bus_start(raw), "start a connection");
    check(sd_bus_attach_event(raw, loop_.get(), SD_EVENT_PRIORITY_NORMAL), "attach a connection");
    peers_.push_back(std::move(peer));
    clients_.ask_again();
    objects_.started(raw);
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
    return answer_as_bus(message, peer.owner.accepted_) ? 1 : 0;
}

int Peers::on_removal(sd_event_source*, void* context) noexcept {
    auto* peer = static_cast<Peer*>(context);
    Peers& self = peer->owner;
    self.objects_.detach(peer->connection.get());
    self.clients_.connection_ended(peer->connection.get());
    std::erase_if(self.peers_, [&](const auto& entry) { return entry.get() == peer; });
    self.left_();
    return 0;
}

} // namespace vireo
