// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/run.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/files.hpp"
#include "tests/support/bus_pair.hpp"
#include "tests/support/child.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <string>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

constexpr auto patience = 20s;

/// A vireo-testd below a folder of its own.
class Testd {
  public:
    explicit Testd(std::vector<std::string> words = {}, std::vector<std::string> environment = {}) {
        start(std::move(words), std::move(environment));
    }

    /// Starts one more in the same folder, in place of the one before.
    void start(std::vector<std::string> words, std::vector<std::string> environment = {}) {
        const std::string notify = folder_.path().string() + "/notify";
        notified_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, notify.c_str(), notify.size() + 1);
        unlink(notify.c_str());
        check_errno(bind(notified_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address),
                    "bind");
        environment.push_back("NOTIFY_SOCKET=" + notify);
        const Fd errors(open((folder_.path().string() + "/errors").c_str(),
                             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                             0600));
        Command command;
        command.words = {build_dir() / "tests/support/vireo-testd", "--root", folder_.path()};
        command.words.insert(command.words.end(), words.begin(), words.end());
        command.environment = std::move(environment);
        command.errors = errors.get();
        child_.emplace(command);
    }

    void wait_ready() {
        REQUIRE(wait_readable(notified_.get(), patience));
        char text[64] = {};
        REQUIRE(recv(notified_.get(), text, sizeof text - 1, 0) > 0);
        CHECK(std::string(text) == "READY=1");
    }

    bus::Bus connect(Loop& loop, bool hello = false) const {
        sd_bus* raw = nullptr;
        check(sd_bus_new(&raw), "make a connection");
        bus::Bus made(raw);
        const std::string address = "unix:path=" + socket_path();
        check(sd_bus_set_address(raw, address.c_str()), "set the address");
        check(sd_bus_set_bus_client(raw, hello ? 1 : 0), "set up a connection");
        check(sd_bus_start(raw), "connect");
        check(sd_bus_attach_event(raw, loop.get(), 0), "attach a connection");
        return made;
    }

    std::string socket_path() const { return folder_.path().string() + "/run/testd.sock"; }

    std::string errors() const { return read_file(folder_.path().string() + "/errors"); }

    Child& child() { return *child_; }

    std::optional<int> end() { return child_->wait(patience); }

  private:
    TemporaryFolder folder_;
    Fd notified_;
    std::optional<Child> child_;
};

template <class... A>
Answer call(Loop& loop, const bus::Bus& client, const std::string& member, const A&... arguments) {
    return ask(loop, client.get(), "/org/vireo/test", "org.vireo.Test1", member, arguments...);
}

bus::Message make_call(const bus::Bus& client, const std::string& member) {
    return bus::new_call(client.get(), "", "/org/vireo/test", "org.vireo.Test1", member);
}

/// Counts Idle signals.
struct Idles {
    explicit Idles(const bus::Bus& client) {
        sd_bus_slot* raw = nullptr;
        check(sd_bus_add_filter(
                  client.get(),
                  &raw,
                  [](sd_bus_message* message, void* self, sd_bus_error*) {
                      if (sd_bus_message_is_signal(message, "org.vireo.Driver1", "Idle") > 0) {
                          ++static_cast<Idles*>(self)->count;
                      }
                      return 0;
                  },
                  this),
              "watch signals");
        slot.reset(raw);
    }

    Idles(const Idles&) = delete;

    int count = 0;
    bus::Slot slot;
};

} // namespace

TEST_CASE("an idle daemon leaves after its time-out; a second instance is refused meanwhile") {
    Testd first({"--idle-timeout", "1"});
    first.wait_ready();
    CHECK(instance_runs(first.socket_path().substr(0, first.socket_path().rfind('/')) +
                        "/testd.pid"));
    const std::string root =
        first.socket_path().substr(0, first.socket_path().rfind("/run/testd.sock"));
    const Finished second = run_command(
        {.words = {build_dir() / "tests/support/vireo-testd", "--root", root}, .environment = {}},
        patience);
    CHECK(second.status == 1);
    CHECK(second.output.find(fmt::format("process {} serves these folders", first.child().pid())) !=
          std::string::npos);
    CHECK(first.end() == 0);
    first.start({"--idle-timeout", "0"}); // in place of the stale socket
    first.wait_ready();
    CHECK(connect_unix(first.socket_path()));
    first.child().send(SIGINT);
    CHECK(first.end() == 0);
}

TEST_CASE(
    "a daemon tells its peers that it is idle, serves what they still send, and then leaves") {
    Loop loop;
    Testd testd({"--idle-timeout", "1"});
    testd.wait_ready();
    bus::Bus quiet = testd.connect(loop);
    bus::Bus busy = testd.connect(loop);
    const Idles quiet_told(quiet);
    const Idles busy_told(busy);
    REQUIRE(run_until(loop, [&] { return quiet_told.count > 0 && busy_told.count > 0; }));
    quiet.reset();
    CHECK(bus::read<std::string>(call(loop, busy, "Echo", std::string("late")).reply.get()) ==
          "late");
    CHECK_FALSE(testd.child().wait(0ms));
    REQUIRE(run_until(loop, [&] { return busy_told.count > 1; }));
    busy.reset();
    CHECK(testd.end() == 0);
}

TEST_CASE("a daemon stays with an open call, and answers it when it is ended") {
    Loop loop;
    Testd testd({"--idle-timeout", "1"});
    testd.wait_ready();
    const bus::Bus client = testd.connect(loop);
    const Idles told(client);
    Asking waiting(client.get(), make_call(client, "Wait"));
    CHECK_FALSE(run_until(
        loop, [&] { return told.count > 0; }, 1300ms));
    CHECK_FALSE(testd.child().wait(0ms));
    testd.child().send(SIGTERM);
    REQUIRE(run_until(loop, [&] { return waiting.answer.arrived; }));
    CHECK(waiting.answer.error == "org.vireo.Error.Aborted");
    CHECK(testd.end() == 0);
}

TEST_CASE("a client that does not read cannot keep a daemon from ending") {
    Loop loop;
    Testd testd;
    testd.wait_ready();
    const bus::Bus client = testd.connect(loop);
    call(loop, client, "Echo", std::string("x"));
    std::uint64_t cookie = 0; // without one, no reply would be wanted
    check(sd_bus_send(client.get(), make_call(client, "Much").get(), &cookie), "send");
    REQUIRE(wait_readable(sd_bus_get_fd(client.get()), patience));
    testd.child().send(SIGTERM);
    CHECK(testd.end() == 0);
}

TEST_CASE("clients that say Hello get names of their own") {
    Loop loop;
    Testd testd;
    testd.wait_ready();
    const bus::Bus one = testd.connect(loop, true);
    const bus::Bus two = testd.connect(loop, true);
    REQUIRE(run_until(
        loop, [&] { return sd_bus_is_ready(one.get()) > 0 && sd_bus_is_ready(two.get()) > 0; }));
    const char* first = nullptr;
    const char* second = nullptr;
    check(sd_bus_get_unique_name(one.get(), &first), "name");
    check(sd_bus_get_unique_name(two.get(), &second), "name");
    CHECK(std::string(first) != std::string(second));
    CHECK(bus::read<std::string>(call(loop, one, "Echo", std::string("x")).reply.get()) == "x");
    testd.child().send(SIGTERM);
    CHECK(testd.end() == 0);
}

TEST_CASE("a start that fails ends with the reason, and in order") {
    Testd wrong({"--bogus"});
    CHECK(wrong.end() == 2);
    CHECK(wrong.errors() == "vireo-testd: error: invalid argument: unknown option '--bogus': see "
                            "--help [run_daemon]\n");

    Testd failing({}, {"TESTD_FAILS=1"});
    CHECK(failing.end() == 1); // not 2: the arguments were right
    CHECK(failing.errors().find("the service's own failure") != std::string::npos);

    const TemporaryFolder folder;
    const std::string deep = folder.path().string() + "/" + std::string(100, 'd');
    make_folders(deep);
    const Finished long_path =
        run_command({.words = {build_dir() / "tests/support/vireo-testd", "--root", deep},
                     .environment = {"TESTD_TASK=1"}},
                    patience);
    CHECK(long_path.status == 1);
    CHECK(long_path.output.find("at most 107 are possible") != std::string::npos);
}

TEST_CASE("--help and --version are answered without starting anything") {
    const std::string program = build_dir() / "tests/support/vireo-testd";
    const Finished help = run_command({.words = {program, "--help"}, .environment = {}}, patience);
    CHECK(help.status == 0);
    CHECK(help.output.starts_with("Usage: vireo-testd [OPTION...]"));
    const Finished version =
        run_command({.words = {program, "--version"}, .environment = {}}, patience);
    CHECK(version.status == 0);
    CHECK(version.output.starts_with("vireo-testd "));
}
