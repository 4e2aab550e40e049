// SPDX-License-Identifier: LGPL-2.1-or-later
// The QMP client and its monitor socket with a real QEMU.
#include "libshared/async/child_guard.hpp"
#include "libshared/async/stream.hpp"
#include "qemu-driver/qmp/client.hpp"
#include "qemu-driver/qmp/monitor_socket.hpp"
#include "tests/support/host_tree.hpp"
#include "tests/support/loop_driver.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

using namespace vireo;
using namespace vireo::qemu::qmp;
using nlohmann::json;

namespace {

/// A QEMU without a machine that was handed its listening monitor socket.
class Qemu {
  public:
    Qemu(Loop& loop, const Fd& listener) : guard_(loop, start(loop, listener)) {}

    Process& process() { return guard_.process(); }

  private:
    static Process start(Loop& loop, const Fd& listener) {
        ProcessSpec spec;
        spec.program = "qemu-system-x86_64";
        spec.arguments = {"-M",
                          "none",
                          "-S",
                          "-display",
                          "none",
                          "-nodefaults",
                          "-chardev",
                          "socket,id=monitor,fd=3,server=on,wait=off",
                          "-mon",
                          "chardev=monitor,mode=control"};
        spec.descriptors.push_back({listener.get(), 3});
        return test::finish(loop, spawn(loop, std::move(spec)));
    }

    ChildGuard guard_;
};

struct Folder : test::HostTree {
    std::string socket(std::string_view name = "monitor.sock") const {
        return (root() / name).string();
    }
};

std::unique_ptr<Client> connected(Loop& loop, const std::string& path) {
    Fd socket = connect_to_monitor(path);
    REQUIRE(socket);
    return std::make_unique<Client>(loop, std::move(socket), nullptr, nullptr);
}

} // namespace

TEST_CASE("a connection made before QEMU runs is greeted, and sees QEMU's end") {
    Loop loop;
    const Folder folder;
    Fd listener = listen_on_monitor(folder.socket());
    std::vector<std::string> log;
    Client client(
        loop,
        connect_to_monitor(folder.socket()),
        [&](const Event& event) {
            log.push_back(event.name + event.data.dump());
            CHECK(event.timestamp.count() > 0);
        },
        [&] { log.emplace_back("closed"); });
    Qemu qemu(loop, listener);
    listener.reset();
    test::finish(loop, client.negotiate());
    CHECK(client.version().major >= 7);
    const json status = test::finish(loop, client.execute("query-status"));
    CHECK(status.at("status") == "prelaunch");

    CHECK_THROWS_WITH_AS(test::finish(loop, client.execute("no-such-command")),
                         "QEMU refuses 'no-such-command': The command no-such-command has not been "
                         "found",
                         CommandError);
    test::finish(loop, client.execute("quit"));
    REQUIRE(test::run_until(loop, [&] { return log.size() == 2; }));
    CHECK(log == std::vector<std::string>{R"(SHUTDOWN{"guest":false,"reason":"host-qmp-quit"})",
                                          "closed"});
    CHECK(test::finish(loop, qemu.process().wait(loop)).success());
}

TEST_CASE("what one client left behind does not disturb the next one") {
    Loop loop;
    const Folder folder;
    Fd listener = listen_on_monitor(folder.socket());
    Qemu qemu(loop, listener);
    listener.reset();
    for (int i = 0; i < 20; ++i) {
        const auto client = connected(loop, folder.socket());
        test::finish(loop, client->negotiate());
        Scope scope(loop);
        const auto ask = [](Client& client) -> Task<void> {
            co_await client.execute("query-qmp-schema");
        };
        scope.spawn(ask(*client), "test"); // never answered, or never read
        if (i % 2 == 0) {
            loop.run_once(std::chrono::microseconds(0));
        }
    }
    const auto client = connected(loop, folder.socket());
    test::finish(loop, client->negotiate());
    CHECK(test::finish(loop, client->execute("query-status")).contains("running"));
}

TEST_CASE("a descriptor reaches QEMU") {
    Loop loop;
    const Folder folder;
    Fd listener = listen_on_monitor(folder.socket());
    Qemu qemu(loop, listener);
    const auto client = connected(loop, folder.socket());
    test::finish(loop, client->negotiate());
    Pipe pipe = make_pipe();
    json arguments = json::object();
    arguments["fdname"] = "x";
    test::finish(loop, client->execute_with_fd("getfd", arguments, std::move(pipe.write)));
    CHECK_NOTHROW(test::finish(loop, client->execute("closefd", arguments)));
    CHECK(test::finish(loop, read_some(loop, pipe.read.get(), 1)).empty());
    CHECK_THROWS_AS(test::finish(loop, client->execute("getfd", arguments)), CommandError);
}

TEST_CASE("the monitor socket may lie deep, is private, and replaces a stale one") {
    Folder folder;
    const std::string deep(150, 'd');
    std::filesystem::create_directory(folder.at(deep));
    const std::string path = folder.socket(deep + "/monitor.sock");
    for (int i = 0; i < 2; ++i) {
        const Fd listener = listen_on_monitor(path);
        CHECK(connect_to_monitor(path));

        struct stat status {};

        REQUIRE(stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0600);
    }
}

TEST_CASE("nobody who listens is told from somebody who does not answer") {
    const Folder folder;
    const std::string path = folder.socket();
    CHECK_FALSE(connect_to_monitor(path)); // never was
    {
        const Fd listener = listen_on_monitor(path);
        REQUIRE(listen(listener.get(), 1) == 0); // as QEMU does with the socket that it is handed
        const Fd first = connect_to_monitor(path);
        const Fd second = connect_to_monitor(path);
        try {
            connect_to_monitor(path);
            FAIL("connected");
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::resource_busy);
            CHECK(std::string(e.what()).find(path) != std::string::npos);
        }
    }
    CHECK_FALSE(connect_to_monitor(path)); // stale
    CHECK_THROWS_AS(listen_on_monitor(folder.socket("missing/monitor.sock")), Error);
    CHECK_THROWS_AS(listen_on_monitor(folder.socket(std::string(120, 'n'))), Error);
    CHECK_THROWS_AS(connect_to_monitor(folder.socket(std::string(120, 'd') + "/m")), Error);
}
