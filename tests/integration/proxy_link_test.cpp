// SPDX-License-Identifier: LGPL-2.1-or-later
// The way of a call from a client's connection to a driver and back, without a message bus.
#include "libshared/bus/call.hpp"
#include "libshared/daemon/sockets.hpp"
#include "libshared/files.hpp"
#include "proxy/driver_link.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

using namespace std::chrono_literals;
using namespace vireo;
using namespace vireo::proxy;

namespace {

constexpr const char* fake_path = "/org/vireo/Fake";
constexpr const char* fake_interface = "org.vireo.Fake1";

/// One link to a fake driver that is started from a folder of its own.
class Bench {
  public:
    explicit Bench(std::chrono::microseconds start_limit = 10s, std::string socket_unit = {})
        : tasks(loop) {
        make_folders(root() + "/run");
        std::filesystem::copy_file(test::build_dir() / "tests/support/fake-driver", program());
        link.emplace(loop,
                     tasks,
                     DriverPlaces{.daemon = "vireo-qemud",
                                  .socket_name = "qemud.sock",
                                  .socket = root() + "/run/qemud.sock",
                                  .lock = root() + "/run/qemud.pid",
                                  .program = program(),
                                  .arguments = {"--root", root(), "--idle-timeout", "1"},
                                  .socket_unit = std::move(socket_unit)},
                     start_limit,
                     DriverLink::Events{.signal = [](sd_bus_message*) {},
                                        .watch = [](const std::string&) {}});
    }

    ~Bench() {
        tasks.cancel();
        // What the link started goes on without it: that is what it is for.
        const auto text = read_file_if_exists(root() + "/run/qemud.pid");
        if (text && instance_runs(root() + "/run/qemud.pid")) {
            if (const auto process = Process::open(std::atoi(text->c_str()))) {
                process->kill(SIGKILL);
            }
        }
    }

    std::string root() const { return tree.root(); }

    std::string program() const { return root() + "/vireo-qemud"; }

    template <class Done>
    void run_until(Done done, std::chrono::milliseconds limit = 20s) {
        const auto end = std::chrono::steady_clock::now() + limit;
        while (!done()) {
            REQUIRE(std::chrono::steady_clock::now() < end);
            loop.run_once(100ms);
        }
    }

    test::HostTree tree;
    Loop loop;
    Scope tasks;
    std::optional<DriverLink> link;
};

/// A client as the proxy sees it: a connection on which its calls arrive under its name.
class Caller {
  public:
    Caller(Bench& bench, std::string name) : bench_(bench), name_(std::move(name)) {
        int ends[2];
        check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                    "make");
        client_ = connect(ends[0], false);
        front_ = connect(ends[1], true);
        sd_bus_slot* slot = nullptr;
        check(sd_bus_add_filter(front_.get(), &slot, &on_call, this), "watch");
        filter_.reset(slot);
        // To send a descriptor, sd-bus would wait here until both ends know that they can.
        bench.run_until([&] { return sd_bus_is_ready(client_.get()) > 0; });
    }

    struct Outcome {
        bool done = false;
        bus::Message reply;
        std::string error;

        static int arrived(sd_bus_message* reply, void* self, sd_bus_error*) noexcept {
            auto& outcome = *static_cast<Outcome*>(self);
            outcome.reply = bus::Message::share(reply);
            outcome.done = true;
            if (const sd_bus_error* const error = sd_bus_message_get_error(reply)) {
                outcome.error = std::string(error->name) + ": " + error->message;
            }
            return 1;
        }
    };

    template <class... A>
    bus::Message make(const char* member, const A&... arguments) {
        auto call = bus::new_call(client_.get(), "", fake_path, fake_interface, member);
        check(sd_bus_message_set_sender(call.get(), name_.c_str()), "set the sender");
        (bus::append(call.get(), arguments), ...);
        return call;
    }

    std::unique_ptr<Outcome> start(const bus::Message& call) {
        auto outcome = std::make_unique<Outcome>();
        check(sd_bus_call_async(
                  client_.get(), nullptr, call.get(), &Outcome::arrived, outcome.get(), UINT64_MAX),
              "call");
        return outcome;
    }

    template <class... A>
    Outcome call(const char* member, const A&... arguments) {
        const auto outcome = start(make(member, arguments...));
        bench_.run_until([&] { return outcome->done; });
        return std::move(*outcome);
    }

    void send(const bus::Message& call) {
        check(sd_bus_send(client_.get(), call.get(), nullptr), "send");
    }

    std::string repeatable; ///< the member whose calls may be sent twice

  private:
    bus::Bus connect(int fd, bool server) {
        sd_bus* made = nullptr;
        check(sd_bus_new(&made), "make");
        bus::Bus connection(made);
        check(sd_bus_set_fd(made, fd, fd), "make");
        check(sd_bus_negotiate_fds(made, 1), "make");
        if (server) {
            check(sd_bus_set_server(made, 1, {}), "make");
        }
        check(sd_bus_start(made), "make");
        check(sd_bus_attach_event(made, bench_.loop.get(), 0), "make");
        return connection;
    }

    static int on_call(sd_bus_message* message, void* context, sd_bus_error*) noexcept {
        auto& self = *static_cast<Caller*>(context);
        if (sd_bus_message_is_method_call(message, fake_interface, nullptr) <= 0) {
            return 0;
        }
        const bool again = self.repeatable == sd_bus_message_get_member(message);
        self.bench_.link->submit(
            std::make_unique<ForwardedCall>(bus::Message::share(message), again));
        return 1;
    }

    Bench& bench_;
    std::string name_;
    bus::Bus client_;
    bus::Bus front_;
    bus::Slot filter_;
};

template <class T>
T value(const Caller::Outcome& outcome) {
    REQUIRE(outcome.error == "");
    return bus::read<T>(outcome.reply.get());
}

/// A setting of the environment for as long as the object lives.
class Setting {
  public:
    Setting(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }

    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;

    ~Setting() { unsetenv(name_); }

  private:
    const char* name_;
};

} // namespace

TEST_CASE("the first call starts the driver, which reads the caller's name") {
    Bench bench;
    Caller caller(bench, ":1.42");
    CHECK(bench.link->idle());
    CHECK(value<std::string>(caller.call("Caller")) == ":1.42");
    CHECK_FALSE(bench.link->idle());
}

TEST_CASE("where systemd is to listen and does not, the call says what to do") {
    Bench bench(10s, "vireo-qemud.socket");
    Caller caller(bench, ":1.1");
    const std::string refusal = caller.call("Caller").error;
    CHECK_MESSAGE(refusal.find("'systemctl start vireo-qemud.socket'") != std::string::npos,
                  refusal);
    CHECK_FALSE(std::filesystem::exists(bench.root() + "/run/qemud.sock"));
    CHECK_FALSE(connect_unix(bench.root() + "/run/qemud.sock"));
    CHECK(bench.link->idle());
}

TEST_CASE("descriptors pass both ways") {
    Bench bench;
    Caller caller(bench, ":1.1");
    const Fd file(::open(bench.program().c_str(), O_RDONLY | O_CLOEXEC));
    const bus::UnixFd sent{Fd(::dup(file.get()))};
    const auto outcome = caller.call("Exchange", sent);
    const auto received = value<bus::UnixFd>(outcome);

    struct stat a {};

    struct stat b {};

    REQUIRE(fstat(file.get(), &a) == 0);
    REQUIRE(fstat(received.get(), &b) == 0);
    CHECK(a.st_ino == b.st_ino);
}

TEST_CASE("a body of 32 MiB comes back whole") {
    Bench bench;
    Caller caller(bench, ":1.1");
    std::vector<uint8_t> data(std::size_t{32} << 20);
    for (std::size_t i = 0; i < data.size(); i += 4096) {
        data[i] = static_cast<uint8_t>(i >> 12);
    }
    const bool same = value<std::vector<uint8_t>>(caller.call("Echo", data)) == data;
    CHECK(same);
}

TEST_CASE("clients whose serial numbers meet get their own answers") {
    Bench bench;
    Caller first(bench, ":1.1");
    Caller second(bench, ":1.2");
    Caller third(bench, ":1.3");
    const auto a = first.start(first.make("Caller"));
    const auto b = second.start(second.make("Caller"));
    const auto c = third.start(third.make("Caller"));
    bench.run_until([&] { return a->done && b->done && c->done; });
    CHECK(value<std::string>(*a) == ":1.1");
    CHECK(value<std::string>(*b) == ":1.2");
    CHECK(value<std::string>(*c) == ":1.3");
}

TEST_CASE("a serial number that meets another carries descriptors and errors, too") {
    Bench bench;
    Caller first(bench, ":1.1");
    Caller second(bench, ":1.2");
    Caller third(bench, ":1.3");
    const auto hanging = first.start(first.make("Hang"));
    const auto failing = second.start(second.make("Fail"));
    const bus::UnixFd sent{Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))};
    const auto exchanging = third.start(third.make("Exchange", sent));
    bench.run_until([&] { return failing->done && exchanging->done; });
    CHECK(failing->error == "org.vireo.Error.NoDomain: asked to fail");
    CHECK(value<bus::UnixFd>(*exchanging).get() >= 0);
    CHECK_FALSE(hanging->done);
    second.call("Release");
    bench.run_until([&] { return hanging->done; });
    CHECK(hanging->error == "");
}

TEST_CASE("a call without a reply arrives, and nobody waits for it") {
    Bench bench;
    Caller caller(bench, ":1.1");
    for (int i = 0; i < 3; ++i) {
        const auto call = caller.make("Note");
        check(sd_bus_message_set_expect_reply(call.get(), 0), "set up");
        caller.send(call);
    }
    CHECK(value<uint32_t>(caller.call("Notes")) == 3);
}

TEST_CASE("calls open when the driver dies fail, and the next one starts it again") {
    Bench bench;
    Caller caller(bench, ":1.1");
    const auto hanging = caller.start(caller.make("Hang"));
    const auto died = caller.call("Die");
    bench.run_until([&] { return hanging->done; });
    const std::string expected = "org.vireo.Error.OperationFailed: vireo-qemud ended unexpectedly "
                                 "before it answered the call";
    CHECK(died.error == expected);
    CHECK(hanging->error == expected);
    CHECK(value<std::string>(caller.call("Caller")) == ":1.1");
}

TEST_CASE("a call that only reads goes to the successor of a driver that died") {
    Bench bench;
    Caller caller(bench, ":1.1");
    caller.repeatable = "Hang";
    const auto hanging = caller.start(caller.make("Hang"));
    CHECK(caller.call("Die").error != "");
    CHECK(value<std::string>(caller.call("Caller")) == ":1.1");
    CHECK_FALSE(hanging->done);
    caller.call("Release");
    bench.run_until([&] { return hanging->done; });
    CHECK(hanging->error == "");
}

TEST_CASE("a call that only reads is sent twice and not a third time") {
    Bench bench;
    Caller caller(bench, ":1.1");
    caller.repeatable = "Die";
    CHECK(caller.call("Die").error.find("ended unexpectedly") != std::string::npos);
    CHECK(value<std::string>(caller.call("Caller")) == ":1.1");
}

TEST_CASE("a driver that is not installed costs an error, and works once it is") {
    Bench bench;
    const std::string elsewhere = bench.root() + "/kept";
    std::filesystem::rename(bench.program(), elsewhere);
    Caller caller(bench, ":1.1");
    const auto failed = caller.call("Caller");
    CHECK(failed.error.find("vireo-qemud could not be started") != std::string::npos);
    CHECK(failed.error.find("No such file") != std::string::npos);
    std::filesystem::rename(elsewhere, bench.program());
    CHECK(value<std::string>(caller.call("Caller")) == ":1.1");
}

TEST_CASE("a driver that fails to start is not started for ever") {
    Bench bench;
    Caller caller(bench, ":1.1");
    {
        const Setting failing("VIREO_FAKE_EXIT", "3");
        for (int i = 0; i < 5; ++i) {
            const auto failed = caller.call("Caller");
            CHECK(failed.error.find("vireo-qemud ended before it answered (exit status 3)") !=
                  std::string::npos);
        }
    }
    const auto refused = caller.call("Caller"); // though it would work now
    CHECK(refused.error.find("failed to start 5 times within 10 s") != std::string::npos);
}

TEST_CASE("a driver that never answers is given up after the time limit") {
    Bench bench(200ms);
    const Fd deaf = listen_unix(bench.root() + "/run/qemud.sock");
    Caller caller(bench, ":1.1");
    const auto failed = caller.call("Caller");
    CHECK(failed.error.find("vireo-qemud did not answer within") != std::string::npos);
    CHECK(bench.link->idle());
}

TEST_CASE("a driver that closes connections unserved is given up after a few") {
    Bench bench;
    const Fd rude = listen_unix(bench.root() + "/run/qemud.sock");
    Caller caller(bench, ":1.1");
    const auto outcome = caller.start(caller.make("Caller"));
    int closed = 0;
    bench.run_until([&] {
        const Fd accepted(::accept4(rude.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        closed += accepted ? 1 : 0;
        return outcome->done;
    });
    CHECK(outcome->error.find("closed the connection before it answered") != std::string::npos);
    CHECK(closed == 3);
}

TEST_CASE("a driver that has nothing to do leaves, and the next call starts it again") {
    Bench bench;
    Caller caller(bench, ":1.1");
    caller.call("Note");
    CHECK(value<uint32_t>(caller.call("Notes")) == 1);
    bench.run_until([&] { return bench.link->idle(); });
    bench.run_until([&] { return !instance_runs(bench.root() + "/run/qemud.pid"); });
    CHECK(value<uint32_t>(caller.call("Notes")) == 0);
}
