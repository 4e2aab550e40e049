// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/process.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "tests/support/loop_driver.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace vireo;
using namespace vireo::test;
using namespace std::chrono_literals;

namespace {

ProcessSpec shell(std::string script) {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", std::move(script)};
    return spec;
}

/// As every daemon: a child that does not read its input must not end this process.
const auto ignored = signal(SIGPIPE, SIG_IGN);

Output
run(Loop& loop, ProcessSpec spec, std::string input = {}, std::chrono::microseconds limit = 20s) {
    return finish(loop, run_command(loop, std::move(spec), limit, std::move(input)));
}

std::string printed(Loop& loop, ProcessSpec spec) {
    return run(loop, std::move(spec)).out;
}

std::string refusal(Loop& loop, ProcessSpec spec) {
    try {
        finish(loop, spawn(loop, std::move(spec)));
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::system_error);
        return e.what();
    }
    return "";
}

Task<ExitStatus> end_of(Loop& loop, Process& process) {
    const ExitStatus status = co_await process.wait(loop);
    co_return status;
}

bool no_child_left() {
    return waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

/// Reaps nothing itself: the loop must have done it.
bool all_reaped(Loop& loop) {
    return run_until(loop, [] {
        siginfo_t info{};
        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
    });
}

Task<void> settle(Promised<bool>& allowed) {
    co_await allowed.value();
}

} // namespace

TEST_CASE("a child waits for what is done for it before it becomes the program") {
    Loop loop;
    TemporaryFolder folder;
    const std::string mark = folder.path() / "mark";
    Promised<bool> allowed(loop);
    pid_t child = 0;
    BeforeExec before = [&](pid_t pid) {
        child = pid;
        return settle(allowed);
    };
    auto starting = spawn(loop, shell("echo run > " + mark), std::move(before));
    std::optional<Process> process;
    SUBCASE("it runs then, under the pid that was told") {
        allowed.resolve(true);
        process = finish(loop, std::move(starting));
        CHECK(process->pid() == child);
        CHECK(finish(loop, end_of(loop, *process)).success());
        CHECK(std::filesystem::exists(mark));
    }
    SUBCASE("where that fails the child ends without having run") {
        allowed.fail(std::make_exception_ptr(Error(ErrorCode::resource_busy, "not today")));
        CHECK_THROWS_WITH(finish(loop, std::move(starting)), "not today");
        CHECK(child > 0);
        CHECK(all_reaped(loop));
        CHECK_FALSE(std::filesystem::exists(mark));
    }
}

TEST_CASE("a process ends with its exit status or its signal, as often as one asks") {
    Loop loop;
    Process exits = finish(loop, spawn(loop, shell("exit 3")));
    const ExitStatus status = finish(loop, end_of(loop, exits));
    CHECK(status.kind == ExitStatus::Kind::exited);
    CHECK(status.code == 3);
    CHECK_FALSE(status.success());
    CHECK(status.text() == "exit status 3");
    CHECK(exits.ended()->code == 3);
    CHECK(finish(loop, end_of(loop, exits)).code == 3);

    Process killed = finish(loop, spawn(loop, shell("kill -KILL $$")));
    const ExitStatus signalled = finish(loop, end_of(loop, killed));
    CHECK(signalled.kind == ExitStatus::Kind::signalled);
    CHECK(signalled.text() == "signal 9 (Killed)");
    killed.kill(SIGTERM); // too late is no error
    CHECK(finish(loop, end_of(loop, exits)).text() == "exit status 3");
    CHECK(no_child_left());
}

TEST_CASE("a process that has not ended has no status") {
    Loop loop;
    Process sleeper = finish(loop, spawn(loop, shell("exec sleep 100")));
    CHECK_FALSE(sleeper.ended());
    sleeper.kill(SIGTERM);
    CHECK(finish(loop, end_of(loop, sleeper)).code == SIGTERM);
}

TEST_CASE("a program that cannot be started is named, and so is the step that failed") {
    Loop loop;
    const TemporaryFolder folder;
    ProcessSpec missing;
    missing.program = "vireo-no-such-program";
    missing.pid_file = folder.path().string() + "/pid";
    CHECK(refusal(loop, missing) == "start 'vireo-no-such-program': No such file or directory");
    CHECK_FALSE(std::filesystem::exists(missing.pid_file));

    ProcessSpec no_pid_file = shell("true");
    no_pid_file.pid_file = folder.path().string() + "/none/pid";
    CHECK(refusal(loop, no_pid_file) ==
          "start '/bin/sh': write '" + no_pid_file.pid_file + "': No such file or directory");

    ProcessSpec too_high = shell("true");
    too_high.descriptors = {{0, 1 << 30}};
    CHECK(refusal(loop, too_high) == "start '/bin/sh': place its descriptors: Invalid argument");

    ProcessSpec closed = shell("true");
    closed.input = 1 << 20;
    CHECK(refusal(loop, closed) == "start '/bin/sh': place its descriptors: Bad file descriptor");
    CHECK(all_reaped(loop));
}

TEST_CASE("descriptors arrive under their numbers, also where numbers are swapped") {
    Loop loop;
    const TemporaryFolder folder;
    write_file(folder.path().string() + "/a", "a");
    write_file(folder.path().string() + "/b", "b");
    // The lowest free numbers, so that those that are wanted are those that are held.
    const Fd first(open((folder.path().string() + "/a").c_str(), O_RDONLY | O_CLOEXEC));
    const Fd second(open((folder.path().string() + "/b").c_str(), O_RDONLY | O_CLOEXEC));
    ProcessSpec spec = shell(fmt::format("cat <&{}; cat <&{}", first.get(), second.get()));
    spec.program = "/bin/bash"; // dash knows no numbers above 9
    spec.descriptors = {{first.get(), second.get()}, {second.get(), first.get()}};
    CHECK(printed(loop, spec) == "ba");
}

TEST_CASE("a child inherits nothing that it was not given") {
    Loop loop;
    const Fd open_on_exec(open("/dev/null", O_RDONLY));
    REQUIRE(open_on_exec.get() > 2);
    ProcessSpec spec;
    spec.program = "ls";
    spec.arguments = {"/proc/self/fd"};
    CHECK(printed(loop, spec) == "0\n1\n2\n3\n"); // 3: the folder that ls reads
    spec.descriptors = {{0, 7}};
    CHECK(printed(loop, spec) == "0\n1\n2\n3\n7\n");
}

TEST_CASE("a child has no signal blocked and SIGPIPE at its default") {
    Loop loop;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGCHLD);
    sigset_t before;
    sigprocmask(SIG_BLOCK, &blocked, &before);
    ProcessSpec spec;
    spec.program = "grep";
    spec.arguments = {"-E", "^Sig(Blk|Ign)", "/proc/self/status"};
    const std::string masks = printed(loop, spec);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    CHECK(masks.find("SigBlk:\t0000000000000000") != std::string::npos);
    const auto ign = masks.find("SigIgn:\t");
    REQUIRE(ign != std::string::npos);
    const auto mask = std::stoull(masks.substr(ign + 8, 16), nullptr, 16);
    CHECK((mask & (1ULL << (SIGPIPE - 1))) == 0);
}

TEST_CASE("a child writes its pid file before it is the program") {
    Loop loop;
    const TemporaryFolder folder;
    ProcessSpec spec = shell("exec sleep 100");
    spec.pid_file = folder.path().string() + "/pid";
    Process process = finish(loop, spawn(loop, spec));
    CHECK(read_file(spec.pid_file) == fmt::format("{}\n", process.pid()));
    process.kill(SIGKILL);
    finish(loop, end_of(loop, process));
}

TEST_CASE("a child has its own session, locked memory limit and environment where told") {
    Loop loop;
    ProcessSpec spec = shell("cut -d ' ' -f 6 /proc/$$/stat; echo $$; ulimit -l; env");
    rlimit limit{};
    getrlimit(RLIMIT_MEMLOCK, &limit);
    const std::uint64_t lower = std::min<rlim_t>(limit.rlim_max, 1 << 20) / 1024 * 1024;
    spec.own_session = true;
    spec.memlock_bytes = lower;
    spec.environment = std::vector<std::string>{"PATH=/usr/bin:/bin", "GREETING=hello"};
    const std::string out = printed(loop, spec);
    const auto line_end = out.find('\n');
    const std::string pid = out.substr(0, line_end);
    CHECK(out.substr(line_end + 1).starts_with(fmt::format("{}\n{}\n", pid, lower / 1024)));
    CHECK(out.find("GREETING=hello\n") != std::string::npos);
    CHECK(out.find("HOME=") == std::string::npos);

    setenv("VIREO_TEST_INHERITED", "yes", 1);
    CHECK(printed(loop, shell("echo $VIREO_TEST_INHERITED")) == "yes\n");
    ProcessSpec bare;
    bare.program = "/usr/bin/env";
    bare.environment.emplace();
    CHECK(printed(loop, bare).empty());
}

TEST_CASE("a child takes its memory from the nodes that it is told to") {
    if (!std::ifstream("/proc/self/numa_maps") ||
        !std::ifstream("/sys/devices/system/node/node0/meminfo")) {
        MESSAGE("skipped: this kernel knows no NUMA");
        return;
    }
    Loop loop;
    ProcessSpec spec = shell("cat /proc/self/numa_maps");
    spec.memory_policy = MemoryPolicy{MemoryPolicy::Mode::bind, {0}};
    CHECK(printed(loop, spec).find(" bind:0 ") != std::string::npos);
    spec.memory_policy->mode = MemoryPolicy::Mode::interleave;
    CHECK(printed(loop, spec).find(" interleave:0 ") != std::string::npos);
    spec.memory_policy->nodes = {1000};
    CHECK_THROWS_WITH_AS(
        printed(loop, spec),
        "start '/bin/sh': take memory of the host's NUMA nodes 1000: Invalid argument",
        Error);
    CHECK(all_reaped(loop));
}

TEST_CASE("a child that takes listening sockets finds its own pid in $LISTEN_PID") {
    Loop loop;
    setenv("LISTEN_PID", "1", 1); // of whoever started this process
    ProcessSpec spec = shell("echo $LISTEN_PID $$");
    spec.listen_pid = true;
    const std::string out = printed(loop, spec);
    unsetenv("LISTEN_PID");
    const auto space = out.find(' ');
    REQUIRE(space != std::string::npos);
    CHECK(out.substr(0, space) + "\n" == out.substr(space + 1));
}

TEST_CASE("a command is fed and read at once, whatever the sizes") {
    Loop loop;
    const std::string much(300000, 'x'); // a pipe holds 65536
    const Output copied = run(loop, shell("tee /dev/stderr"), much);
    CHECK(copied.status.success());
    CHECK(copied.out == much);
    CHECK(copied.errors == much);
    const Output deaf = run(loop, shell("exit 4"), much);
    CHECK(deaf.status.code == 4);
    CHECK(no_child_left());
}

TEST_CASE("a command that takes too long is killed and leaves no zombie") {
    Loop loop;
    try {
        run(loop, shell("exec sleep 100"), {}, 20ms);
        FAIL("nothing was thrown");
    } catch (const Error& e) {
        CHECK(e.code() == ErrorCode::operation_timeout);
        CHECK(std::string(e.what()) == "no end of the command '/bin/sh' within 20 ms");
    }
    CHECK(all_reaped(loop));
}

TEST_CASE("a command whose waiter is cancelled is killed") {
    Loop loop;
    const TemporaryFolder folder;
    ProcessSpec spec = shell("exec sleep 100");
    spec.pid_file = folder.path().string() + "/pid";
    {
        Scope scope(loop);
        Outcome<Output> outcome;
        scope.spawn(observe(run_command(loop, spec, 20s), outcome), "test");
        REQUIRE(run_until(loop, [&] { return std::filesystem::exists(spec.pid_file); }));
    }
    CHECK(all_reaped(loop));
}

TEST_CASE("a start that is cancelled before the program runs kills the child") {
    Loop loop;
    {
        Scope scope(loop);
        Outcome<Process> outcome;
        scope.spawn(observe(spawn(loop, shell("exec sleep 100")), outcome), "test");
        CHECK_FALSE(outcome.ended);
    }
    CHECK(all_reaped(loop));
}

TEST_CASE("a command that prints too much is ended at once, on either stream") {
    Loop loop;
    for (const char* script : {"exec yes", "exec yes >&2"}) {
        try {
            run(loop, shell(script));
            FAIL("nothing was thrown");
        } catch (const Error& e) {
            CHECK(e.code() == ErrorCode::read_failed);
            CHECK(std::string(e.what()) == "/bin/sh: more than 16777216 bytes");
        }
    }
    CHECK(all_reaped(loop));
}

TEST_CASE("a process that somebody else started is watched and killed") {
    Loop loop;
    const TemporaryFolder folder;
    ProcessSpec spec = shell("sleep 100 & echo $! > pid.new; mv pid.new pid; wait $!");
    spec.arguments[1] = "cd " + folder.path().string() + "; " + spec.arguments[1];
    Process parent = finish(loop, spawn(loop, spec));
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!std::filesystem::exists(folder.path().string() + "/pid") &&
           std::chrono::steady_clock::now() < deadline) {
        loop.run_once(1ms);
    }
    auto foreign = Process::open(std::stoi(read_file(folder.path().string() + "/pid")));
    REQUIRE(foreign);
    CHECK_FALSE(foreign->ended());
    foreign->kill(SIGKILL);
    CHECK(finish(loop, end_of(loop, *foreign)).kind == ExitStatus::Kind::unknown);
    CHECK(foreign->ended()->text() == "ended, its status unknown");
    finish(loop, end_of(loop, parent));
}

TEST_CASE("a process that has ended but is not reaped by its parent has ended") {
    Loop loop;
    // The parent of the one that ends is stopped, so it stays a zombie.
    const TemporaryFolder folder;
    ProcessSpec spec = shell("cd " + folder.path().string() +
                             "; sh -c 'echo $$ > pid.new; mv pid.new pid' & kill -STOP $$");
    Process parent = finish(loop, spawn(loop, spec));
    const std::string path = folder.path().string() + "/pid";
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!std::filesystem::exists(path) && std::chrono::steady_clock::now() < deadline) {
        loop.run_once(1ms);
    }
    auto zombie = Process::open(std::stoi(read_file(path)));
    REQUIRE(zombie);
    CHECK(finish(loop, end_of(loop, *zombie)).kind == ExitStatus::Kind::unknown);
    auto again = Process::open(zombie->pid());
    REQUIRE(again); // its pid is still taken
    CHECK(again->ended());
    parent.kill(SIGKILL);
    finish(loop, end_of(loop, parent));
}

TEST_CASE("a pid that nobody has opens nothing") {
    CHECK_FALSE(Process::open(0));
    Loop loop;
    Process gone = finish(loop, spawn(loop, shell("exit 0")));
    finish(loop, end_of(loop, gone));
    CHECK_FALSE(Process::open(gone.pid()));
}
