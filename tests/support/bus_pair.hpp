// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/call.hpp"
#include "libshared/bus/types.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>
#include <systemd/sd-id128.h>

#include <sys/socket.h>

#include <string>
#include <vector>

namespace vireo::test {

/// Two ends of one D-Bus connection, both on the same loop; the client collects all signals.
class BusPair {
  public:
    explicit BusPair(Loop& loop) {
        int ends[2];
        check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                    "make a socket pair");
        server_ = connect(loop, ends[0], true);
        client_ = connect(loop, ends[1], false);
        sd_bus_slot* slot = nullptr;
        check(sd_bus_add_filter(client_.get(), &slot, &on_signal, this), "watch signals");
        signals_slot_.reset(slot);
    }

    BusPair(const BusPair&) = delete;
    BusPair& operator=(const BusPair&) = delete;

    sd_bus* server() const noexcept { return server_.get(); }

    sd_bus* client() const noexcept { return client_.get(); }

    /// Ends the client's side, as when the client dies.
    void drop_client() noexcept {
        signals_slot_.reset();
        client_.reset();
    }

    std::vector<bus::Message> signals;

  private:
    static bus::Bus connect(Loop& loop, int fd, bool server) {
        sd_bus* raw = nullptr;
        check(sd_bus_new(&raw), "make a connection");
        bus::Bus made(raw);
        check(sd_bus_set_fd(raw, fd, fd), "set up a connection");
        check(sd_bus_negotiate_fds(raw, 1), "set up a connection");
        if (server) {
            sd_id128_t id{};
            check(sd_id128_randomize(&id), "make an id");
            check(sd_bus_set_server(raw, 1, id), "set up a connection");
        }
        check(sd_bus_start(raw), "start a connection");
        check(sd_bus_attach_event(raw, loop.get(), 0), "attach a connection");
        return made;
    }

    static int on_signal(sd_bus_message* message, void* self, sd_bus_error*) noexcept {
        if (sd_bus_message_is_signal(message, nullptr, nullptr) > 0) {
            static_cast<BusPair*>(self)->signals.push_back(bus::Message::share(message));
        }
        return 0;
    }

    bus::Bus server_;
    bus::Bus client_;
    bus::Slot signals_slot_;
};

/// A reply as it came: `error` is empty where it is none.
struct Answer {
    std::string error;
    std::string text;
    bus::Message reply;
    bool arrived = false;
};

/// A call under way; dropping it drops the reply.
class Asking {
  public:
    Asking(sd_bus* client, const bus::Message& call) {
        sd_bus_slot* slot = nullptr;
        check(sd_bus_call_async(client, &slot, call.get(), &on_reply, &answer, 20'000'000), "call");
        slot_.reset(slot);
    }

    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

    Answer answer;

  private:
    static int on_reply(sd_bus_message* reply, void* context, sd_bus_error*) noexcept {
        auto& answer = *static_cast<Answer*>(context);
        if (const sd_bus_error* error = sd_bus_message_get_error(reply)) {
            answer.error = error->name;
            answer.text = error->message == nullptr ? "" : error->message;
        }
        answer.reply = bus::Message::share(reply);
        answer.arrived = true;
        return 1;
    }

    bus::Slot slot_;
};

/// Calls and waits for the answer.
template <class... A>
Answer ask(Loop& loop,
           sd_bus* client,
           const std::string& path,
           const std::string& interface,
           const std::string& member,
           const A&... arguments) {
    Asking asking(client, bus::new_call(client, "", path, interface, member, arguments...));
    REQUIRE(run_until(loop, [&] { return asking.answer.arrived; }));
    return std::move(asking.answer);
}

} // namespace vireo::test
