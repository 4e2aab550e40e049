// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/process.hpp"
#include "libshared/bus/call.hpp"
#include "libshared/daemon/driver_client.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "tests/support/child.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

/// A vireo-testd that finds its socket listening already, as systemd does it.
struct Served {
    explicit Served(std::string idle_timeout) {
        make_folders(folder.path() / "run");
        const Fd listening = listen_unix(socket());
        Loop starting;
        ProcessSpec spec;
        spec.program = build_dir() / "tests/support/vireo-testd";
        spec.arguments = {"--root", folder.path(), "--idle-timeout", std::move(idle_timeout)};
        spec.environment = {"LISTEN_FDS=1", "LISTEN_FDNAMES=testd.sock"};
        spec.descriptors.push_back({.fd = listening.get(), .number = 3});
        spec.listen_pid = true;
        process.emplace(finish(starting, spawn(starting, std::move(spec))));
    }

    ~Served() {
        process->kill(SIGKILL);
        Loop ending;
        finish(ending, process->wait(ending));
    }

    std::string socket() const { return (folder.path() / "run/testd.sock").string(); }

    TemporaryFolder folder;
    std::optional<vireo::Process> process;
};

Task<std::string> echo(sd_bus* connection, std::string text) {
    auto request =
        bus::new_call(connection, "", "/org/vireo/test", "org.vireo.Test1", "Echo", text);
    auto asking = bus::Call(connection, std::move(request), 20s);
    const bus::Message reply = co_await asking;
    co_return bus::read<std::string>(reply.get());
}

Task<void> wait_for_ever(sd_bus* connection) {
    auto request = bus::new_call(connection, "", "/org/vireo/test", "org.vireo.Test1", "Wait");
    auto asking = bus::Call(connection, std::move(request), 60s);
    co_await asking;
}

} // namespace

TEST_CASE("where nobody listens there is no connection") {
    Loop loop;
    const TemporaryFolder folder;
    DriverClient client(loop, (folder.path() / "no.sock").string(), {});
    CHECK_FALSE(client.connect());
    CHECK_FALSE(client.connected());
}

TEST_CASE("a driver is called at once, and its end fails what is open and is told") {
    Loop loop;
    Served served("0");
    bool ended = false;
    DriverClient::Events events;
    events.ended = [&] { ended = true; };
    DriverClient client(loop, served.socket(), std::move(events));
    REQUIRE(client.connect());
    CHECK(finish(loop, echo(client.connection(), "hello")) == "hello");

    Outcome<void> waiting;
    Scope scope(loop);
    scope.spawn(observe(wait_for_ever(client.connection()), waiting), "wait");
    CHECK(finish(loop, echo(client.connection(), "served")) == "served");
    served.process->kill(SIGKILL);
    REQUIRE(run_until(loop, [&] { return ended; }));
    CHECK(waiting.ended);
    CHECK_THROWS_AS(std::rethrow_exception(waiting.failure), Error);
    CHECK_FALSE(client.connected());
    finish(loop, served.process->wait(loop)); // its other sockets may have outlived this one
    CHECK_FALSE(client.connect());
}

TEST_CASE("a driver that has nothing to do says so, and leaves once it is let go") {
    Loop loop;
    Served served("1");
    bool ended = false;
    DriverClient client(
        loop,
        served.socket(),
        {.signal = {}, .idle = [&] { client.close(); }, .ended = [&] { ended = true; }});
    REQUIRE(client.connect());
    const vireo::ExitStatus status = finish(loop, served.process->wait(loop));
    CHECK(status.success());
    CHECK_FALSE(client.connected());
    CHECK_FALSE(ended);
}
