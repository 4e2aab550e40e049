// SPDX-License-Identifier: LGPL-2.1-or-later
// Who a caller is and what polkit says, asked of a connection whose other end plays both.
#include "libshared/bus/call.hpp"
#include "libshared/error.hpp"
#include "proxy/callers.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>

#include <chrono>
#include <optional>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::proxy;

namespace {

bus::Bus connect(Loop& loop, int fd, bool server) {
    sd_bus* made = nullptr;
    check(sd_bus_new(&made), "make");
    bus::Bus connection(made);
    check(sd_bus_set_fd(made, fd, fd), "make");
    if (server) {
        check(sd_bus_set_server(made, 1, {}), "make");
    }
    check(sd_bus_start(made), "make");
    check(sd_bus_attach_event(made, loop.get(), 0), "make");
    return connection;
}

/// The bus and polkit as one peer: answers what it is told to, and counts.
class Authorities {
  public:
    Authorities(Loop& loop, int fd) : connection_(connect(loop, fd, true)) {
        sd_bus_slot* slot = nullptr;
        check(sd_bus_add_filter(connection_.get(), &slot, &on_call, this), "watch");
        filter_.reset(slot);
    }

    uint32_t uid = 1000;
    std::vector<uint32_t> groups{1000};
    bool polkit = true;
    int granted = 0;
    int challenge = 0;
    int identifications = 0;
    std::vector<std::string> questions;

  private:
    static int on_call(sd_bus_message* call, void* context, sd_bus_error*) noexcept {
        auto& self = *static_cast<Authorities*>(context);
        if (sd_bus_message_is_method_call(call, nullptr, "GetConnectionCredentials") > 0) {
            ++self.identifications;
            self.identify(call);
            return 1;
        }
        if (sd_bus_message_is_method_call(call, nullptr, "CheckAuthorization") > 0) {
            self.authorize(call);
            return 1;
        }
        return 0;
    }

    void identify(sd_bus_message* call) {
        sd_bus_message* made = nullptr;
        check(sd_bus_message_new_method_return(call, &made), "make");
        const bus::Message reply(made);
        check(sd_bus_message_open_container(made, 'a', "{sv}"), "fill");
        check(sd_bus_message_append(made, "{sv}", "ProcessID", "u", 1U), "fill");
        check(sd_bus_message_append(made, "{sv}", "UnixUserID", "u", uid), "fill");
        check(sd_bus_message_open_container(made, 'e', "sv"), "fill");
        check(sd_bus_message_append(made, "s", "UnixGroupIDs"), "fill");
        check(sd_bus_message_open_container(made, 'v', "au"), "fill");
        check(
            sd_bus_message_append_array(made, 'u', groups.data(), groups.size() * sizeof(uint32_t)),
            "fill");
        for (int i = 0; i < 3; ++i) {
            check(sd_bus_message_close_container(made), "fill");
        }
        check(sd_bus_send(nullptr, made, nullptr), "send");
    }

    void authorize(sd_bus_message* call) {
        const char* kind = nullptr;
        const char* key = nullptr;
        const char* name = nullptr;
        const char* action = nullptr;
        check(sd_bus_message_read(call, "(sa{sv})s", &kind, 1, &key, "s", &name, &action), "read");
        questions.push_back(std::string(name) + " " + action);
        if (polkit) {
            sd_bus_reply_method_return(call, "(bba{ss})", granted, challenge, 0);
        } else {
            sd_bus_reply_method_errorf(call, SD_BUS_ERROR_SERVICE_UNKNOWN, "nobody there");
        }
    }

    bus::Bus connection_;
    bus::Slot filter_;
};

class Bench {
  public:
    explicit Bench(Policy policy = {.session = false, .own = 500, .group = {}}) : tasks(loop) {
        int ends[2];
        check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                    "make");
        connection = connect(loop, ends[0], false);
        authorities.emplace(loop, ends[1]);
        callers.emplace(tasks,
                        connection.get(),
                        policy,
                        Callers::Needs{.again = [this](bus::Message call) { decide(call.get()); },
                                       .find_group =
                                           [this] {
                                               ++group_questions;
                                               return std::optional<gid_t>(77);
                                           }});
    }

    ~Bench() { tasks.cancel(); }

    /// What the service does: ask, and again when told.
    void decide(sd_bus_message* call) {
        Names actions;
        actions.add(action);
        const auto admission = callers->admit(call, actions);
        if (admission.answer != Callers::Answer::later) {
            outcomes.push_back(admission.answer == Callers::Answer::admitted ? "admitted"
                                                                             : admission.reason);
        }
    }

    bus::Message call_of(const char* sender) {
        auto call = bus::new_call(connection.get(), "", "/a", "b.c", "D");
        check(sd_bus_message_set_sender(call.get(), sender), "make");
        check(sd_bus_message_seal(call.get(), 1, 0), "make");
        return call;
    }

    /// How a call of that client ends.
    std::string ask(const char* sender) {
        const std::size_t before = outcomes.size();
        decide(call_of(sender).get());
        run_until(before + 1);
        return outcomes.back();
    }

    void run_until(std::size_t count) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (outcomes.size() < count) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            loop.run_once(100ms);
        }
    }

    Loop loop;
    Scope tasks;
    bus::Bus connection;
    std::optional<Authorities> authorities;
    std::optional<Callers> callers;
    int group_questions = 0;
    std::string action = "org.vireo.domain.write";
    std::vector<std::string> outcomes;
};

} // namespace

TEST_CASE("a caller is identified once, whatever it calls") {
    Bench bench;
    bench.authorities->uid = 0;
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->identifications == 1);
    CHECK(bench.authorities->questions.empty());
    CHECK(bench.ask(":1.2") == "admitted");
    CHECK(bench.authorities->identifications == 2);
}

TEST_CASE("the group is looked up once, and not for those who are trusted without") {
    Bench bench;
    bench.authorities->uid = 500;
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.group_questions == 0);
    bench.authorities->uid = 1000;
    bench.authorities->groups = {1000, 77};
    CHECK(bench.ask(":1.2") == "admitted");
    CHECK(bench.ask(":1.3") == "admitted");
    CHECK(bench.group_questions == 1);
    CHECK(bench.authorities->questions.empty());
}

TEST_CASE("calls that come before the caller is known keep their order") {
    Bench bench;
    bench.authorities->groups = {5, 77};
    for (int i = 0; i < 3; ++i) {
        bench.decide(bench.call_of(":1.1").get());
    }
    CHECK(bench.outcomes.empty());
    bench.run_until(3);
    CHECK(bench.outcomes == std::vector<std::string>(3, "admitted"));
    CHECK(bench.authorities->identifications == 1);
}

TEST_CASE("nobody is asked about anything in a session") {
    Bench bench({.session = true, .own = 500, .group = {}});
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->identifications == 0);
    CHECK_FALSE(bench.callers->empty());
}

TEST_CASE("polkit is asked once per client and action until the client leaves") {
    Bench bench;
    bench.authorities->granted = 1;
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->questions == std::vector<std::string>{":1.1 org.vireo.domain.write"});
    bench.action = "org.vireo.domain.read";
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->questions.size() == 2);
    CHECK(bench.callers->left(":1.1"));
    CHECK_FALSE(bench.callers->left(":1.1"));
    CHECK(bench.callers->empty());
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->questions.size() == 3);
}

TEST_CASE("what polkit denies is refused and remembered") {
    Bench bench;
    CHECK(bench.ask(":1.1") == "polkit does not grant 'org.vireo.domain.write' to this caller");
    bench.authorities->granted = 1;
    CHECK(bench.ask(":1.1") != "admitted");
    CHECK(bench.authorities->questions.size() == 1);
}

TEST_CASE("what needs a password is asked again by the next call") {
    Bench bench;
    bench.authorities->challenge = 1;
    CHECK(bench.ask(":1.1").find("needs authentication") != std::string::npos);
    bench.authorities->granted = 1;
    CHECK(bench.ask(":1.1") == "admitted");
    CHECK(bench.authorities->questions.size() == 2);
}

TEST_CASE("without polkit a stranger may read and not change") {
    Bench bench;
    bench.authorities->polkit = false;
    CHECK(bench.ask(":1.1").find("polkit, which could grant it") != std::string::npos);
    bench.action = "org.vireo.domain.read";
    CHECK(bench.ask(":1.1") == "admitted");
}

TEST_CASE("the calls of a client that leaves meanwhile are dropped") {
    Bench bench;
    bench.decide(bench.call_of(":1.1").get());
    CHECK(bench.callers->left(":1.1"));
    CHECK(bench.ask(":1.2") != "");
    CHECK(bench.outcomes.size() == 1);
}
