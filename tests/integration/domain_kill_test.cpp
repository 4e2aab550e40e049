// SPDX-License-Identifier: LGPL-2.1-or-later
// vireo-qemud is killed at any moment: guests go on, and the next one knows them.
#include "libshared/error.hpp"
#include "tests/support/client.hpp"
#include "tests/support/guest_documents.hpp"
#include "tests/support/instance.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <random>

namespace {

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::test;
using bus::ObjectPath;

using StatePair = std::tuple<std::int32_t, std::int32_t>;

constexpr auto limit = 20s;

Target domain_at(const ObjectPath& path) {
    return libvirt_object(path, "org.libvirt.Domain");
}

ObjectPath define(Client& client, const std::string& name) {
    return client.call<ObjectPath>(libvirt_connect, "DomainDefineXML", small_guest(name));
}

StatePair state_of(Client& client, const ObjectPath& path) {
    return client.call<StatePair>(domain_at(path), "GetState", std::uint32_t{0});
}

std::vector<ObjectPath> list(Client& client, std::uint32_t flags) {
    return client.call<std::vector<ObjectPath>>(libvirt_connect, "ListDomains", flags);
}

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
    OpenCall(Client& client, const ObjectPath& path, const char* method) : client_(client) {
        const bus::Message call = client.new_call(domain_at(path), method);
        bus::append(call.get(), std::uint32_t{0});
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
    static int answered(sd_bus_message*, void* self, sd_bus_error*) noexcept {
        static_cast<OpenCall*>(self)->done_ = true;
        return 1;
    }

    Client& client_;
    bus::Slot slot_;
    bool done_ = false;
};

} // namespace

TEST_CASE("running and paused guests are the same after a kill") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath running = define(client, "running");
    const ObjectPath paused = define(client, "paused");
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
    const ObjectPath path = define(client, "web");
    client.call(domain_at(path), "Create", std::uint32_t{0});
    Watch events = client.watch(libvirt_connect, "DomainEvent");
    const pid_t daemon = instance.find("vireo-qemud").value();
    ::kill(daemon, SIGSTOP); // it shall not see the end
    instance.end("qemu-system-x86_64", SIGKILL);
    instance.end("vireo-qemud", SIGKILL);
    CHECK(std::get<0>(ask_again([&] { return state_of(client, path); })) == 5);
    const auto [domain, event, detail] = events.next<ObjectPath, std::int32_t, std::int32_t>(limit);
    CHECK(domain == path);
    CHECK(event == 5);
    CHECK_FALSE(events.pending());
}

TEST_CASE("kills in a row at random moments lose nothing") {
    const Instance instance;
    Client client = instance.connect();
    const ObjectPath kept = define(client, "kept");
    client.call(domain_at(kept), "Create", std::uint32_t{0});
    const auto id = client.get<std::uint32_t>(domain_at(kept), "Id");
    std::minstd_rand random(20);
    for (int round = 0; round < 200; ++round) {
        const ObjectPath path = define(client, "victim");
        // A call goes out, and the daemon is killed while it works on it.
        OpenCall call(client, path, round % 2 == 0 ? "Create" : "Undefine");
        const std::chrono::microseconds moment(random() % 60'000);
        const auto until = std::chrono::steady_clock::now() + moment;
        while (std::chrono::steady_clock::now() < until) {
            // The moment is what is being tested: nothing is waited for.
        }
        instance.end("vireo-qemud", SIGKILL);
        call.finish();
        REQUIRE(ask_again([&] { return client.get<std::uint32_t>(domain_at(kept), "Id"); }) == id);
        REQUIRE(state_of(client, kept) == StatePair(1, 1));
        for (const ObjectPath& other : list(client, 0)) {
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
