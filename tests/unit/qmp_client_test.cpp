// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/deadline.hpp"
#include "qemu-driver/qmp/client.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <memory>
#include <vector>

using namespace vireo;
using namespace vireo::qemu::qmp;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr std::string_view greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "p"}, "capabilities": ["oob"]}})"
    "\r\n";

/// The other end of a connection: what QEMU would send is written ahead.
class Peer {
  public:
    Peer() {
        int ends[2];
        check_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
        ours_ = Fd(ends[0]);
        theirs_ = Fd(ends[1]);
    }

    Fd take_client_end() { return std::move(theirs_); }

    void send(std::string_view text) {
        REQUIRE(::send(ours_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }

    /// What has been received up to now.
    std::string received() {
        std::string all;
        char bytes[65536];
        for (ssize_t size; (size = recv(ours_.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;) {
            all.append(bytes, static_cast<std::size_t>(size));
        }
        return all;
    }

    int fd() const { return ours_.get(); }

    void close() { ours_.reset(); }

  private:
    Fd ours_;
    Fd theirs_;
};

struct Connection {
    Connection() {
        client = std::make_unique<Client>(
            loop,
            peer.take_client_end(),
            [this](const Event& event) {
                log.push_back(event.name);
                last = event;
            },
            [this] { log.emplace_back("closed"); });
    }

    void negotiate() {
        peer.send(greeting);
        peer.send(R"({"return": {}, "id": 0})"
                  "\r\n");
        test::finish(loop, client->negotiate());
        peer.received();
    }

    /// Runs a command whose outcome goes to the log.
    Task<void> note(std::string command) {
        try {
            const json result = co_await client->execute(command);
            log.push_back(command + "=" + result.dump());
        } catch (const std::exception& e) {
            log.push_back(command + ": " + e.what());
        }
    }

    void spawn(std::string command) { scope.spawn(note(std::move(command)), "test"); }

    void run_until_log_has(std::size_t count) {
        REQUIRE(test::run_until(loop, [&] { return log.size() >= count; }));
    }

    Loop loop;
    Peer peer;
    std::vector<std::string> log;
    Event last;
    std::unique_ptr<Client> client;
    Scope scope{loop};
};

using Log = std::vector<std::string>;

} // namespace

TEST_CASE_FIXTURE(Connection, "negotiation learns QEMU's version") {
    peer.send(greeting);
    peer.send(R"({"return": {}, "id": 0})"
              "\r\n");
    test::finish(loop, client->negotiate());
    CHECK(peer.received() == "{\"execute\":\"qmp_capabilities\",\"id\":0}\n");
    CHECK(client->version().major == 7);
    CHECK(client->version().minor == 2);
    CHECK(client->version().micro == 22);
    CHECK(client->version().package == "p");
    CHECK_FALSE(client->closed());
}

TEST_CASE_FIXTURE(Connection, "a reply to an earlier client does not end the negotiation") {
    peer.send(greeting);
    peer.send(
        "{\"return\": {\"stale\": 1}}\r\n{\"error\": {\"class\": \"C\", \"desc\": \"d\"}}\r\n");
    peer.send("{\"return\": {}, \"id\": 0}\r\n{\"return\": 1}\r\n");
    test::finish(loop, client->negotiate());
    CHECK(test::finish(loop, client->execute("stop")) == 1);
}

TEST_CASE_FIXTURE(Connection, "arguments are sent, and the result is given") {
    negotiate();
    json arguments = json::object();
    arguments["path"] = "/a\"b";
    peer.send("{\"return\": {\"status\": \"paused\"}}\r\n");
    const json result = test::finish(loop, client->execute("query \"x\"", arguments));
    CHECK(result.at("status") == "paused");
    CHECK(peer.received() ==
          "{\"execute\":\"query \\\"x\\\"\",\"arguments\":{\"path\":\"/a\\\"b\"}}\n");
}

TEST_CASE_FIXTURE(Connection, "commands in flight are answered in order, between events") {
    negotiate();
    for (const char* command : {"a", "b", "c"}) {
        spawn(command);
    }
    CHECK(peer.received() == "{\"execute\":\"a\"}\n{\"execute\":\"b\"}\n{\"execute\":\"c\"}\n");
    peer.send("{\"return\": 1}\r\n"
              "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n"
              "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"
              "{\"event\": \"RESUME\", \"data\": {\"x\": 3}, "
              "\"timestamp\": {\"seconds\": -1, \"microseconds\": -1}}\r\n"
              "{\"return\": {}}\r\n");
    run_until_log_has(5);
    CHECK(log == Log{"a=1", "STOP", "b: QEMU refuses 'b': no", "RESUME", "c={}"});
    CHECK(last.data.at("x") == 3);
    CHECK(last.timestamp == 0us);
}

TEST_CASE_FIXTURE(Connection, "an event has its time, and an object where it has no data") {
    negotiate();
    peer.send("{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n");
    run_until_log_has(1);
    CHECK(last.timestamp == 1000002us);
    CHECK(last.data == json::object());
}

TEST_CASE_FIXTURE(Connection, "a refusal carries QEMU's class and words") {
    negotiate();
    peer.send(R"({"error": {"class": "DeviceNotFound", "desc": "Device 'x' not found"}})"
              "\r\n");
    try {
        test::finish(loop, client->execute("device_del"));
        FAIL("not refused");
    } catch (const CommandError& e) {
        CHECK(e.code() == ErrorCode::operation_failed);
        CHECK(e.error_class() == "DeviceNotFound");
        CHECK(e.description() == "Device 'x' not found");
        CHECK(std::string(e.what()) == "QEMU refuses 'device_del': Device 'x' not found");
    }
}

TEST_CASE_FIXTURE(Connection, "a line may come byte by byte") {
    negotiate();
    spawn("a");
    for (const char byte : std::string("{\"return\": [1, 2]}\r\n")) {
        peer.send({&byte, 1});
        loop.run_once(0us);
    }
    run_until_log_has(1);
    CHECK(log == Log{"a=[1,2]"});
}

TEST_CASE_FIXTURE(Connection, "a reply that nobody waits for is dropped") {
    negotiate();
    peer.send("{\"return\": 1}\r\n{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, "
              "\"microseconds\": 2}}\r\n");
    run_until_log_has(1);
    CHECK(log == Log{"STOP"});
    CHECK_FALSE(client->closed());
}

TEST_CASE_FIXTURE(Connection, "the reply to a cancelled command is not given to the next one") {
    negotiate();
    auto slow = client->execute("slow");
    CHECK_THROWS_AS(test::finish(loop,
                                 [](Loop& loop, Task<json> task) -> Task<json> {
                                     co_return co_await Deadline(
                                         loop, std::move(task), 1ms, "a reply");
                                 }(loop, std::move(slow))),
                    Error);
    spawn("next");
    peer.send("{\"return\": \"slow\"}\r\n{\"return\": \"next\"}\r\n");
    run_until_log_has(1);
    CHECK(log == Log{"next=\"next\""});
}

TEST_CASE_FIXTURE(Connection, "at the end the rest is handed out, then what waits fails") {
    negotiate();
    for (const char* command : {"a", "b", "c"}) {
        spawn(command);
    }
    peer.received(); // an unread command would make the close a reset
    peer.send("{\"return\": {}}\r\n{\"event\": \"SHUTDOWN\", \"timestamp\": {\"seconds\": 1, "
              "\"microseconds\": 2}}\r\n{\"return\":");
    peer.close();
    run_until_log_has(5);
    CHECK(log == Log{"a={}",
                     "SHUTDOWN",
                     "b: no answer to 'b': QEMU closed its monitor",
                     "c: no answer to 'c': QEMU closed its monitor",
                     "closed"});
    CHECK(client->closed());
    CHECK(client->end_reason() == "QEMU closed its monitor");
    CHECK_THROWS_WITH_AS(test::finish(loop, client->execute("d")),
                         "cannot send 'd': QEMU closed its monitor",
                         Error);
    loop.run_once(0us);
    CHECK(log.size() == 5);
}

TEST_CASE_FIXTURE(Connection, "what QEMU said last is read before a failed write ends it") {
    negotiate();
    peer.send(
        "{\"event\": \"SHUTDOWN\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n");
    peer.close();
    spawn("a");
    run_until_log_has(3);
    CHECK(log == Log{"SHUTDOWN", "a: no answer to 'a': QEMU closed its monitor", "closed"});
}

TEST_CASE_FIXTURE(Connection, "a peer that does not speak QMP is left") {
    std::string said;
    SUBCASE("no greeting") {
        said = "{\"return\": {}}\r\n";
    }
    SUBCASE("garbage") {
        said = "SSH-2.0-OpenSSH\r\n";
    }
    SUBCASE("no object") {
        said = "[1]\r\n";
    }
    SUBCASE("a greeting of another form") {
        said = "{\"QMP\": {\"version\": 7}}\r\n";
    }
    SUBCASE("two greetings") {
        said = std::string(greeting) + std::string(greeting);
    }
    SUBCASE("another message") {
        said = std::string(greeting) + "{\"hello\": 1}\r\n";
    }
    SUBCASE("a malformed event") {
        said = std::string(greeting) + "{\"event\": 7}\r\n";
    }
    SUBCASE("a malformed error") {
        said = std::string(greeting) + "{\"error\": 7}\r\n";
    }
    spawn("a");
    peer.send(said + "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, "
                     "\"microseconds\": 2}}\r\n");
    run_until_log_has(2);
    CHECK(log == Log{"a: no answer to 'a': " + client->end_reason(), "closed"});
    CHECK(client->end_reason().starts_with("QEMU does not speak QMP: "));
}

TEST_CASE_FIXTURE(Connection, "a line without an end does not fill the memory") {
    negotiate();
    const std::string part(std::size_t{1} << 16, ' ');
    for (int i = 0; i <= 1024 && !client->closed(); ++i) {
        peer.send(part);
        loop.run_once(0us);
    }
    run_until_log_has(1);
    CHECK(log == Log{"closed"});
    CHECK(client->end_reason() == "QEMU sent a line of more than 67108864 bytes");
}

TEST_CASE_FIXTURE(Connection, "a thousand commands may be in flight, and a full socket waits") {
    negotiate();
    constexpr int count = 1000;
    const std::string padding(4000, 'x');
    for (int i = 0; i < count; ++i) {
        spawn(std::to_string(i) + padding);
    }
    std::string commands;
    REQUIRE(test::run_until(loop, [&] {
        commands += peer.received();
        return std::ranges::count(commands, '\n') == count;
    }));
    std::string replies;
    for (int i = 0; i < count; ++i) {
        replies += fmt::format("{{\"return\": {}}}\r\n", i);
    }
    peer.send(replies);
    run_until_log_has(count);
    for (int i = 0; i < count; ++i) {
        CHECK(log[static_cast<std::size_t>(i)] == fmt::format("{}{}={}", i, padding, i));
    }
}

TEST_CASE_FIXTURE(Connection, "a string that is not UTF-8 is refused, and nothing is sent") {
    negotiate();
    json arguments = json::object();
    arguments["path"] = "\xff";
    CHECK_THROWS_AS(test::finish(loop, client->execute("a", arguments)), Error);
    CHECK(peer.received().empty());
    peer.send("{\"return\": 5}\r\n");
    CHECK(test::finish(loop, client->execute("b")) == 5);
}

TEST_CASE_FIXTURE(Connection, "a descriptor goes with its command") {
    negotiate();
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const Fd reader(ends[0]);
    peer.send("{\"return\": {}}\r\n");
    test::finish(loop, client->execute_with_fd("getfd", nullptr, Fd(ends[1])));

    char bytes[256];
    iovec part{bytes, sizeof bytes};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = recvmsg(peer.fd(), &message, MSG_CMSG_CLOEXEC);
    CHECK(std::string(bytes, static_cast<std::size_t>(size)) == "{\"execute\":\"getfd\"}\n");
    REQUIRE(CMSG_FIRSTHDR(&message) != nullptr);
    int number = -1;
    std::memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof number);

    struct stat sent {};

    struct stat expected {};

    CHECK(fstat(number, &sent) == 0);
    CHECK(fstat(reader.get(), &expected) == 0);
    CHECK(sent.st_ino == expected.st_ino);
    Fd received(number);
    received.reset();
    CHECK(read(reader.get(), bytes, 1) == 0); // nobody else holds the writing end
}

TEST_CASE_FIXTURE(Connection, "what waits fails from the loop when the client is destroyed") {
    negotiate();
    spawn("a");
    spawn("b");
    client.reset();
    CHECK(log.empty());
    run_until_log_has(2);
    CHECK(log == Log{"a: no answer to 'a': its monitor was closed",
                     "b: no answer to 'b': its monitor was closed"});
}

TEST_CASE("the client may be destroyed by each thing that it calls") {
    Loop loop;
    Peer peer;
    Scope scope(loop);
    std::unique_ptr<Client> client;
    bool done = false;
    peer.send(greeting);
    const auto finish = [&] {
        client.reset();
        done = true;
    };
    SUBCASE("an event") {
        client = std::make_unique<Client>(
            loop, peer.take_client_end(), [&](const Event&) { finish(); }, [] {});
        peer.send(
            "{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n");
    }
    SUBCASE("the end") {
        client = std::make_unique<Client>(loop, peer.take_client_end(), nullptr, finish);
        peer.close();
    }
    SUBCASE("a reply") {
        client = std::make_unique<Client>(loop, peer.take_client_end(), nullptr, nullptr);
        const auto negotiate_and_finish = [](Client& to, auto& then) -> Task<void> {
            co_await to.negotiate();
            then();
        };
        peer.send("{\"return\": {}, \"id\": 0}\r\n");
        scope.spawn(negotiate_and_finish(*client, finish), "test");
    }
    peer.close();
    REQUIRE(test::run_until(loop, [&] { return done; }));
    loop.run_once(0us);
    CHECK_FALSE(client);
}

TEST_CASE_FIXTURE(Connection, "an event handler that throws does not end the connection") {
    negotiate();
    Peer other;
    Client strict(
        loop,
        other.take_client_end(),
        [](const Event& event) { throw Error(ErrorCode::internal, "{}", event.name); },
        nullptr);
    other.send(greeting);
    other.send("{\"event\": \"STOP\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n");
    other.send("{\"return\": {}, \"id\": 0}\r\n");
    CHECK_NOTHROW(test::finish(loop, strict.negotiate()));
}
