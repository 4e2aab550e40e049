// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "tests/support/captured_errors.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

using namespace vireo;
using namespace vireo::test;

TEST_CASE("a socket is made for its owner alone, in place of a stale one") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/s";
    CHECK_FALSE(connect_unix(path));
    {
        const Fd first = listen_unix(path);
        CHECK(connect_unix(path));
    }
    CHECK_FALSE(connect_unix(path)); // the file is there, nobody listens
    const Fd second = listen_unix(path);
    CHECK(connect_unix(path));

    struct stat status {};

    REQUIRE(stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK((fcntl(second.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(second.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a driver that connects to another is told from the proxy") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/s";
    const Fd listening = listen_unix(path);
    const auto accepted = [&] { return Fd(::accept4(listening.get(), nullptr, nullptr, 0)); };
    const Fd proxy = connect_unix(path);
    CHECK_FALSE(is_from_driver(accepted().get()));
    const Fd one = connect_unix_as_driver(path);
    const Fd two = connect_unix_as_driver(path); // names of their own
    CHECK(is_from_driver(accepted().get()));
    CHECK(is_from_driver(accepted().get()));
    CHECK_FALSE(is_from_driver(-1));
    CHECK_FALSE(connect_unix_as_driver(folder.path().string() + "/nobody"));
}

TEST_CASE("a path that is too long for a socket is refused with its length") {
    const std::string path = "/" + std::string(107, 'x');
    CHECK_THROWS_WITH_AS(listen_unix(path),
                         ("socket path '" + path +
                          "' has 108 bytes, at most 107 are possible: choose a shorter folder")
                             .c_str(),
                         Error);
    CHECK_THROWS_AS(connect_unix(path), Error);
}

namespace {

/// A process that locks `path`, forks a child that never gets to its exec, and waits to be killed.
class Holder {
  public:
    explicit Holder(const std::string& path) {
        int ready[2];
        int life[2];
        REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
        REQUIRE(pipe2(life, O_CLOEXEC) == 0);
        life_.reset(life[1]);
        pid_ = fork();
        REQUIRE(pid_ >= 0);
        if (pid_ == 0) {
            hold(path, ready[1], life[0], life[1]);
        }
        const Fd told(ready[0]);
        Fd(ready[1]).reset();
        Fd(life[0]).reset();
        char byte = 0;
        REQUIRE(read(told.get(), &byte, 1) == 1);
    }

    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;

    ~Holder() { end(); }

    pid_t pid() const noexcept { return pid_; }

    /// Kills the holder; its child lives until the object is gone.
    void end() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
            pid_ = -1;
        }
    }

  private:
    /// In the child: only what ends by _exit.
    [[noreturn]] static void hold(const std::string& path, int ready, int life, int writer) {
        try {
            const Fd lock = lock_instance(path);
            const bool child = fork() == 0;
            close(writer);
            char byte = 0;
            if (!child && write(ready, "x", 1) == 1) {
                pause();
            }
            [[maybe_unused]] const auto end = read(life, &byte, 1);
        } catch (...) {
        }
        _exit(0);
    }

    Fd life_; // the child ends with it
    pid_t pid_ = -1;
};

} // namespace

TEST_CASE("one process holds the lock, and others learn who") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/testd.pid";
    CHECK_FALSE(instance_runs(path));
    Holder holder(path);
    CHECK(read_file(path) == fmt::format("{}\n", holder.pid()));
    CHECK(instance_runs(path));
    CHECK_THROWS_WITH_AS(
        lock_instance(path),
        fmt::format("'{}' is locked: process {} serves these folders", path, holder.pid()).c_str(),
        Error);
}

TEST_CASE("the lock goes with its holder, whatever its children are at") {
    const TemporaryFolder folder;
    const std::string path = folder.path().string() + "/testd.pid";
    Holder holder(path);
    holder.end();
    CHECK_FALSE(instance_runs(path));
    CHECK(lock_instance(path));
}

namespace {

/// Puts `fds` at 3, 4, ... as systemd does, keeping what was there for afterwards.
struct Passed {
    Passed(std::initializer_list<int> fds, const char* names) {
        int number = 3;
        for (const int fd : fds) {
            saved.emplace_back(fcntl(number, F_DUPFD, 50));
            moved.emplace_back(fcntl(fd, F_DUPFD, 50));
            ++number;
        }
        number = 3;
        for (const Fd& fd : moved) {
            dup2(fd.get(), number++);
        }
        setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
        setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
        setenv("LISTEN_FDNAMES", names, 1);
    }

    Passed(const Passed&) = delete;

    ~Passed() {
        int number = 3;
        for (const Fd& fd : saved) {
            if (fd) {
                dup2(fd.get(), number);
            }
            ++number;
        }
    }

    std::vector<Fd> saved;
    std::vector<Fd> moved;
};

} // namespace

TEST_CASE("the socket that was passed under the daemon's name is taken, others are closed") {
    const TemporaryFolder folder;
    const CapturedErrors errors;
    const Fd other = listen_unix(folder.path().string() + "/other");
    const Fd mine = listen_unix(folder.path().string() + "/mine");
    fcntl(mine.get(), F_SETFL, 0); // not everybody passes sockets that do not block
    Passed passed({other.get(), mine.get()}, "other.sock:test.sock");
    Fd taken = take_listening_socket("test.sock", folder.path().string() + "/unused");
    CHECK(taken.get() == 4);
    CHECK((fcntl(taken.get(), F_GETFL) & O_NONBLOCK) != 0);
    CHECK((fcntl(taken.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(fcntl(3, F_GETFD) == -1);
    CHECK(access((folder.path().string() + "/unused").c_str(), F_OK) != 0);
    CHECK(std::getenv("LISTEN_FDS") == nullptr);
    CHECK(errors.text().find("closing passed descriptor 'other.sock'") != std::string::npos);
    taken.reset();
}

TEST_CASE("where nothing fitting was passed, the socket is opened") {
    const TemporaryFolder folder;
    const CapturedErrors errors;
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    {
        Passed passed({null.get()}, "test.sock"); // no socket at all
        const Fd opened = take_listening_socket("test.sock", folder.path().string() + "/s");
        CHECK(connect_unix(folder.path().string() + "/s"));
    }
    const Fd opened = take_listening_socket("test.sock", folder.path().string() + "/t");
    CHECK(connect_unix(folder.path().string() + "/t"));
}
