// SPDX-License-Identifier: LGPL-2.1-or-later
// What the other integration tests and ./run rest on: an instance leaves nothing behind.
#include "libshared/error.hpp"
#include "tests/support/instance.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>

namespace {

using namespace std::chrono_literals;
using namespace vireo::test;

/// Runs a shell script beside an instance, as `./run` does.
Command beside_instance(const std::string& script, std::vector<std::string> options = {}) {
    Command command{.words = {build_dir() / "tests/support/vireo-instance",
                              "--daemons",
                              build_dir() / "daemons"},
                    .environment = {}};
    command.words.insert(command.words.end(), options.begin(), options.end());
    command.words.insert(command.words.end(), {"--", "/bin/sh", "-c", script});
    return command;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

/// True if a process with that pid runs; a zombie does not.
bool runs(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string number, name, state;
    stat >> number >> name >> state;
    return !state.empty() && state != "Z";
}

} // namespace

TEST_CASE("an instance has a bus on which a standard client works") {
    const Instance instance;
    const Finished list = instance.run({"busctl", "--user", "list", "--activatable"}, 10s);
    CHECK_MESSAGE(list.status == 0, list.output);
    CHECK(list.output.find("org.libvirt") != std::string::npos);
    CHECK(list.output.find("org.vireo") != std::string::npos);
    CHECK(instance.processes().empty());
    CHECK(instance.files().empty());
}

TEST_CASE("the client calls methods, reads properties and watches signals") {
    const Target bus{"org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"};
    const Instance instance;
    Client client = instance.connect();
    CHECK(client.call<bool>(bus, "NameHasOwner", "org.freedesktop.DBus"));
    CHECK_FALSE(client.get<std::vector<std::string>>(bus, "Features").empty());

    Watch changes = client.watch(bus, "NameOwnerChanged");
    CHECK_FALSE(changes.pending());
    const std::string joined = [&] {
        Client other = instance.connect();
        return other.call<std::string>(bus, "GetId");
    }();
    CHECK_FALSE(joined.empty());
    using Change = std::tuple<std::string, std::string, std::string>;
    const Change came = changes.next<std::string, std::string, std::string>(5s);
    const Change went = changes.next_where<std::string, std::string, std::string>(
        [](const Change& change) { return std::get<2>(change).empty(); }, 5s);
    CHECK(std::get<0>(came) == std::get<0>(went));
    CHECK_THROWS_AS(changes.take(10ms), vireo::Error);
}

TEST_CASE("the client throws what a call is answered with") {
    const Target nobody{"org.vireo.nobody", "/", "org.vireo.Nobody"};
    const Instance instance;
    Client client = instance.connect();
    try {
        client.call(nobody, "Nothing");
        FAIL("the call succeeded");
    } catch (const CallError& error) {
        CHECK(error.name() == "org.freedesktop.DBus.Error.ServiceUnknown");
        CHECK(std::string(error.what()).find("org.vireo.nobody") != std::string::npos);
    }
}

TEST_CASE("nothing is left of an instance") {
    std::filesystem::path root;
    {
        Instance instance;
        root = instance.root();
        CHECK(std::filesystem::exists(root));
        instance.stop();
    }
    CHECK_FALSE(std::filesystem::exists(root.parent_path()));
}

TEST_CASE("the command's exit status is the instance's") {
    CHECK(run_command(beside_instance("exit 0"), 10s).status == 0);
    CHECK(run_command(beside_instance("exit 42"), 10s).status == 42);
    CHECK(run_command(beside_instance("kill -KILL $$"), 10s).status == 128 + SIGKILL);
}

TEST_CASE("what the command leaves running is ended with it") {
    const Finished polite =
        run_command(beside_instance("setsid sleep 1000 & echo $!; echo $VIREO_ROOT"), 10s);
    CHECK(polite.status == 0);
    CHECK_FALSE(runs(first_line(polite.output)));
}

TEST_CASE("what does not end on SIGTERM is killed") {
    const std::string script = "trap 'exec cat \"$VIREO_ROOT/pid\"' USR1;"
                               "setsid sh -c 'trap \"\" TERM; echo $$ > \"$VIREO_ROOT/pid\";"
                               "kill -USR1 '$$'; while :; do sleep 1000; done' & wait; wait";
    const Finished finished = run_command(beside_instance(script), 30s);
    CHECK(finished.status == 0);
    CHECK_FALSE(runs(first_line(finished.output)));
}

TEST_CASE("SIGTERM ends the command and everything else") {
    Child child(beside_instance("kill -TERM $PPID; sleep 1000"));
    CHECK(child.wait(20s) == 128 + SIGTERM);
}

TEST_CASE("two instances cannot keep their state in one folder") {
    const Instance first;
    const Finished second = run_command(beside_instance("true", {"--root", first.root()}), 10s);
    CHECK(second.status == 125);
    CHECK(second.output.find("another instance keeps its state in") != std::string::npos);
}

TEST_CASE("a wrong use of the program is refused with its usage") {
    const std::string program = build_dir() / "tests/support/vireo-instance";
    for (const std::vector<std::string>& words : {std::vector<std::string>{program},
                                                  {program, "--daemons", "/"},
                                                  {program, "--daemons", "/", "--hold", "true"},
                                                  {program, "--unknown"}}) {
        const Finished refused = run_command({.words = words, .environment = {}}, 10s);
        CHECK(refused.status == 125);
        CHECK(refused.output.find("usage: ") != std::string::npos);
    }
}
