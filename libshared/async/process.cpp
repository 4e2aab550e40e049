// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/process.hpp"

#include "libshared/async/child.hpp"
#include "libshared/async/child_guard.hpp"
#include "libshared/async/deadline.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/stream.hpp"
#include "libshared/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace vireo {

namespace {

constexpr std::size_t most_output = std::size_t{16} << 20;

Task<void> feed(Loop& loop, Fd fd, std::string data) {
    try {
        co_await write_all(loop, fd.get(), std::move(data));
    } catch (const Error&) {
        // A command that does not read all of its input is free to do so.
    }
}

/// The command's two outputs; settled once both have ended or one has failed.
struct Streams {
    explicit Streams(Loop& loop) : ended(loop) {}

    std::string out;
    std::string errors;
    int open = 2;
    Promised<bool> ended;
};

Task<void> drain(Loop& loop, Fd fd, Streams& streams, std::string& text) {
    try {
        text = co_await read_to_end(loop, fd.get(), most_output);
        if (--streams.open == 0) {
            streams.ended.resolve(true);
        }
    } catch (const Error&) {
        streams.ended.fail(std::current_exception());
    }
}

Task<Output> run_to_end(Loop& loop, ProcessSpec spec, std::string input) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe errors = make_pipe();
    // The child expects ordinary, blocking descriptors.
    for (const int fd : {in.read.get(), out.write.get(), errors.write.get()}) {
        check_errno(fcntl(fd, F_SETFL, 0), "make a descriptor block");
    }
    spec.input = in.read.get();
    spec.output = out.write.get();
    spec.errors = errors.write.get();
    const std::string program = spec.program;
    auto starting = spawn(loop, std::move(spec));
    Process process = co_await std::move(starting);
    ChildGuard guard(loop, std::move(process));
    in.read.reset();
    out.write.reset();
    errors.write.reset();

    Streams streams(loop);
    Scope each(loop); // all streams at once: one that is full must not stop the command
    each.spawn(feed(loop, std::move(in.write), std::move(input)), program);
    each.spawn(drain(loop, std::move(out.read), streams, streams.out), program);
    each.spawn(drain(loop, std::move(errors.read), streams, streams.errors), program);
    try {
        co_await streams.ended.value();
    } catch (Error& e) {
        throw e.within(program);
    }
    Output output;
    output.status = co_await guard.process().wait(loop);
    guard.release();
    output.out = std::move(streams.out);
    output.errors = std::move(streams.errors);
    co_return output;
}

} // namespace

std::string ExitStatus::text() const {
    switch (kind) {
    case Kind::exited:
        return fmt::format("exit status {}", code);
    case Kind::signalled:
        return fmt::format("signal {} ({})", code, strsignal(code));
    case Kind::unknown:
        break;
    }
    return "ended, its status unknown";
}

std::optional<Process> Process::open(pid_t pid) {
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
        // ESRCH: none; EINVAL or ENOENT: no process has this id, at most a thread.
        check(errno == ESRCH || errno == EINVAL || errno == ENOENT ? 0 : -errno,
              fmt::format("open process {}", pid));
        return std::nullopt;
    }
    return Process(pid, std::move(pidfd));
}

void Process::kill(int signal) const noexcept {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

std::optional<ExitStatus> Process::ended() {
    if (status_) {
        return status_;
    }
    siginfo_t info{};
    if (waitid(static_cast<idtype_t>(P_PIDFD),
               static_cast<id_t>(pidfd_.get()),
               &info,
               WEXITED | WNOHANG) < 0) {
        // Not our child: its pidfd is readable once it has ended, reaped by its parent or not.
        pollfd ended{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&ended, 1, 0) > 0) {
            status_.emplace();
        }
        return status_;
    }
    if (info.si_pid == 0) {
        return std::nullopt;
    }
    const auto kind =
        info.si_code == CLD_EXITED ? ExitStatus::Kind::exited : ExitStatus::Kind::signalled;
    status_ = ExitStatus{kind, info.si_status};
    return status_;
}

Task<ExitStatus> Process::wait(Loop& loop) {
    while (!ended()) {
        co_await Ready(loop, pidfd_.get(), EPOLLIN);
    }
    co_return *status_;
}

namespace {

/// Reads what the child says on its way to the program, which is nothing where it gets there.
Task<Process> await_program(Loop& loop, const ProcessSpec& spec, ChildGuard& guard, Fd report) {
    // Closed by execve(2), or by the child's end after it has written its errno.
    const std::string told = co_await read_some(loop, report.get(), sizeof(ChildFailure));
    if (told.size() == sizeof(ChildFailure)) {
        ChildFailure failure{};
        std::memcpy(&failure, told.data(), sizeof failure);
        throw Error(ErrorCode::system_error, "{}", text_of(failure, spec));
    }
    co_return guard.release();
}

} // namespace

Task<Process> spawn(Loop& loop, ProcessSpec spec) {
    Pipe report = make_pipe();
    Process child = fork_child(spec, report.write.get());
    report.write.reset();
    ChildGuard guard(loop, std::move(child));
    co_return co_await await_program(loop, spec, guard, std::move(report.read));
}

Task<Process> spawn(Loop& loop, ProcessSpec spec, BeforeExec before) {
    Pipe report = make_pipe();
    Pipe gate = make_pipe();
    check_errno(fcntl(gate.read.get(), F_SETFL, 0), "make a descriptor block");
    const ChildGate ends{gate.read.get(), gate.write.get()};
    Process child = fork_child(spec, report.write.get(), ends);
    report.write.reset();
    gate.read.reset();
    ChildGuard guard(loop, std::move(child));
    auto preparing = before(guard.process().pid());
    co_await std::move(preparing);
    co_await write_all(loop, gate.write.get(), std::string(1, '1'));
    co_return co_await await_program(loop, spec, guard, std::move(report.read));
}

Task<Output>
run_command(Loop& loop, ProcessSpec spec, std::chrono::microseconds limit, std::string input) {
    std::string what = fmt::format("the command '{}'", spec.program);
    auto running = run_to_end(loop, std::move(spec), std::move(input));
    co_return co_await Deadline(loop, std::move(running), limit, std::move(what));
}

} // namespace vireo
