// SPDX-License-Identifier: LGPL-2.1-or-later
// vireo-qemud is killed at any moment: guests go on, and the next one knows them.
#include "libshared/error.hpp"
#include "tests/support/domain_calls.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/serial_port.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <random>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

/// What is asked before the proxy has noticed the kill is answered with an error; ask again.
template <class Ask>
auto ask_again(Ask ask) {
    for (int tries = 0;; ++tries) {
        try {
            return ask();
        } catch (const CallError& e) {
            if (tries == 3 ||
                std::string(e.what()).find("ended unexpectedly") == std::string::npos) {
                throw;
            }
        }
    }
}

/// A call that is under way while something else happens.
class OpenCall {
  public:
    OpenCall(Client& client, const ObjectPath& path, const char* method)
        : OpenCall(client, call_of(client, path, method)) {}

    OpenCall(Client& client, const bus::Message& call) : client_(client) {
        sd_bus_slot* slot = nullptr;
        check(sd_bus_call_async(client.get(), &slot, call.get(), &answered, this, 0), "call");
        slot_.reset(slot);
        check(sd_bus_flush(client.get()), "send the call");
    }

    OpenCall(const OpenCall&) = delete;
    OpenCall& operator=(const OpenCall&) = delete;

    /// Waits for the answer, whatever it is.
    void finish() {
        while (!done_) {
            if (check(sd_bus_process(client_.get(), nullptr), "take an answer") == 0) {
                check(sd_bus_wait(client_.get(), UINT64_MAX), "wait for an answer");
            }
        }
    }

  private:
    static bus::Message call_of(Client& client, const ObjectPath& path, const char* method) {
        bus::Message call = client.new_call(domain_at(path), method);
        bus::append(call.get(), std::uint32_t{0});
        return call;
    }

    static int answered(sd_bus_message*, void* self, sd_bus_error*) noexcept {
        static_cast<OpenCall*>(self)->done_ = true;
        return 1;
    }

    Client& client_;
    bus::Slot slot_;
    bool done_ = false;
};

/// Passes a random time of at most 60 ms: the moment is what is being tested, nothing is waited
/// for.
void pass_a_moment(std::minstd_rand& random) {
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60'000);
    while (std::chrono::steady_clock::now() < until) {
    }
}

/// The details of the events of that type that have come, when one has come: a guest's end is
/// the last that is heard of it.
std::vector<std::int32_t> await_stops(Watch& events) {
    std::vector<std::int32_t> stops{await_event(events, 5)};
    while (events.pending()) {
        const auto [event, detail] = next_event(events);
        if (event == 5) {
            stops.push_back(detail);
        }
    }
    return stops;
}

/// A guest that is up and waits for its power button.
struct ButtonGuest {
    ButtonGuest(const Instance& instance, Client& client)
        : path(define(client, power_button_guest("web", instance.root()))),
          serial(started(instance, client)) {
        client.call(domain_at(path), "Resume");
        serial.await('R', event_limit);
    }

    ObjectPath path;
    SerialPort serial;

  private:
    std::string started(const Instance& instance, Client& client) {
        start(client, path, 1);
        return instance.root() / "web.serial";
    }
};

} // namespace

TEST_CASE("running and paused guests are the same after a kill") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath running = define(client, small_guest("running"));
    const ObjectPath paused = define(client, small_guest("paused"));
    client.call(domain_at(running), "Create", std::uint32_t{0});
    client.call(domain_at(paused), "Create", std::uint32_t{1});
    const auto id = client.get<std::uint32_t>(domain_at(running), "Id");

    instance.end("vireo-qemud", SIGKILL);
    CHECK(ask_again([&] { return state_of(client, running); }) == StatePair(1, 1));
    CHECK(state_of(client, paused) == StatePair(3, 1));
    CHECK(client.get<std::uint32_t>(domain_at(running), "Id") == id);
    client.call(domain_at(running), "Suspend"); // its monitor works
    CHECK(state_of(client, running) == StatePair(3, 1));
    client.call(domain_at(running), "Destroy", std::uint32_t{0});
    client.call(domain_at(paused), "Destroy", std::uint32_t{0});
}

TEST_CASE("a guest that ended meanwhile is told of once") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    client.call(domain_at(path), "Create", std::uint32_t{0});
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    const pid_t daemon = instance.find("vireo-qemud").value();
    ::kill(daemon, SIGSTOP); // it shall not see the end
    instance.end("qemu-system-x86_64", SIGKILL);
    instance.end("vireo-qemud", SIGKILL);
    CHECK(std::get<0>(ask_again([&] { return state_of(client, path); })) == 5);
    const auto [domain, event, detail] =
        events.next<ObjectPath, std::int32_t, std::int32_t>(event_limit);
    CHECK(domain == path);
    CHECK(event == 5);
    CHECK_FALSE(events.pending());
}

TEST_CASE("kills in a row at random moments lose nothing") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath kept = define(client, small_guest("kept"));
    client.call(domain_at(kept), "Create", std::uint32_t{0});
    const auto id = client.get<std::uint32_t>(domain_at(kept), "Id");
    std::minstd_rand random(20);
    for (int round = 0; round < 200; ++round) {
        const ObjectPath path = define(client, small_guest("victim"));
        // A call goes out, and the daemon is killed while it works on it.
        OpenCall call(client, path, round % 2 == 0 ? "Create" : "Undefine");
        pass_a_moment(random);
        instance.end("vireo-qemud", SIGKILL);
        call.finish();
        REQUIRE(ask_again([&] { return client.get<std::uint32_t>(domain_at(kept), "Id"); }) == id);
        REQUIRE(state_of(client, kept) == StatePair(1, 1));
        for (const ObjectPath& other : list_domains(client)) {
            if (other == kept) {
                continue;
            }
            if (client.get<bool>(domain_at(other), "Active")) {
                client.call(domain_at(other), "Destroy", std::uint32_t{0});
            }
            client.call(domain_at(other), "Undefine", std::uint32_t{0});
        }
    }
    client.call(domain_at(kept), "Destroy", std::uint32_t{0});
    CHECK_FALSE(instance.find("qemu-system-x86_64").has_value());
    for (const std::string& file : instance.files()) {
        CHECK_MESSAGE(file.find(".new") == std::string::npos, file);
    }
}

TEST_CASE("a guest shuts down although the daemon is killed that asked for it") {
    const Instance instance;
    Client client = instance.connect();
    const ButtonGuest guest(instance, client);
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    client.call(domain_at(guest.path), "Shutdown", std::uint32_t{0});
    instance.end("vireo-qemud", SIGKILL);
    ask_again([&] { return state_of(client, guest.path); });
    CHECK(await_stops(events) == std::vector<std::int32_t>{0});
    CHECK(state_of(client, guest.path) == StatePair(5, 1));
    CHECK_FALSE(instance.find("qemu-system-x86_64").has_value());
}

TEST_CASE("a guest that shut down unseen is ended as one that shut down") {
    const Instance instance;
    Client client = instance.connect();
    const ButtonGuest guest(instance, client);
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    ::kill(instance.find("vireo-qemud").value(), SIGSTOP); // it shall not see it
    guest.serial.write('x');
    instance.end("vireo-qemud", SIGKILL);
    ask_again([&] { return state_of(client, guest.path); });
    CHECK(await_stops(events) == std::vector<std::int32_t>{0});
    CHECK(state_of(client, guest.path) == StatePair(5, 1));
}

TEST_CASE("a reboot goes on although the daemon is killed that asked for it") {
    const Instance instance;
    Client client = instance.connect();
    ButtonGuest guest(instance, client);
    const auto id = client.get<std::uint32_t>(domain_at(guest.path), "Id");
    std::minstd_rand random(5);
    for (int round = 0; round < 20; ++round) {
        client.call(domain_at(guest.path), "Reboot", std::uint32_t{0});
        if (round % 2 == 1) { // once the guest is on its way down, or down, or being reset
            pass_a_moment(random);
        }
        instance.end("vireo-qemud", SIGKILL);
        ask_again([&] { return state_of(client, guest.path); });
        guest.serial.await('R', event_limit); // it is up again
    }
    CHECK(client.get<std::uint32_t>(domain_at(guest.path), "Id") == id);
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    client.call(domain_at(guest.path), "Shutdown", std::uint32_t{0}); // which is no reboot
    CHECK(await_stops(events) == std::vector<std::int32_t>{0});
}

TEST_CASE("a paused guest cannot shut down, before a kill and after it") {
    const Instance instance;
    Client client = instance.connect();
    const ButtonGuest guest(instance, client);
    client.call(domain_at(guest.path), "Suspend");
    const auto refusal = [&] {
        return message_of(
            [&] { client.call(domain_at(guest.path), "Shutdown", std::uint32_t{0}); });
    };
    CHECK(refusal().starts_with("Requested operation is not valid: "));
    instance.end("vireo-qemud", SIGKILL);
    CHECK(ask_again([&] { return state_of(client, guest.path); }) == StatePair(3, 1));
    CHECK(refusal().starts_with("Requested operation is not valid: "));
    client.call(domain_at(guest.path), "Resume");
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    client.call(domain_at(guest.path), "Shutdown", std::uint32_t{0});
    CHECK(await_stops(events) == std::vector<std::int32_t>{0});
}

TEST_CASE("a guest that is being destroyed ends as destroyed, whoever sees it") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath path = define(client, small_guest("web"));
    std::minstd_rand random(7);
    for (int round = 0; round < 20; ++round) {
        start(client, path);
        Watch events = client.watch(libvirt_connect, "DomainEvent");
        OpenCall call(client, path, "Destroy");
        if (round % 2 == 0) {
            pass_a_moment(random);
        }
        instance.end("vireo-qemud", SIGKILL);
        call.finish();
        const StatePair state = ask_again([&] { return state_of(client, path); });
        if (state == StatePair(1, 1)) { // the call was lost, or it is being gone on with
            try {
                destroy(client, path);
            } catch (const CallError& e) {
                REQUIRE(std::string(e.what()) ==
                        "Requested operation is not valid: domain is not running");
            }
        }
        // Told of its end, and killed before it could forget the guest, a daemon has its successor
        // tell of it once more: twice rather than never.
        const std::vector<std::int32_t> stops = await_stops(events);
        REQUIRE(stops.size() <= 2);
        REQUIRE(stops == std::vector<std::int32_t>(stops.size(), 1));
        // Of a domain that had ended before the kill nobody knows why any more.
        const StatePair end = state_of(client, path);
        REQUIRE((end == StatePair(5, 2) || end == StatePair(5, 0)));
        REQUIRE_FALSE(instance.find("qemu-system-x86_64").has_value());
    }
}

TEST_CASE("a domain that is being defined is there as a whole or not at all") {
    const Instance instance;
    Client client = instance.connect();
    std::minstd_rand random(11);
    list_domains(client); // the daemon runs
    for (int round = 0; round < 20; ++round) {
        const std::string name = "web" + std::to_string(round);
        const bus::Message call = client.new_call(libvirt_connect, "DomainDefineXML");
        bus::append(call.get(), small_guest(name));
        OpenCall defining(client, call);
        pass_a_moment(random);
        instance.end("vireo-qemud", SIGKILL);
        defining.finish();
        const auto domains = ask_again([&] { return list_domains(client); });
        for (const ObjectPath& path : domains) {
            REQUIRE(contains(xml_of(client, path, 2), "<name>web"));
        }
    }
    for (const std::string& file : instance.files()) {
        CHECK_MESSAGE(file.find(".new") == std::string::npos, file);
    }
}
