// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/process.hpp"

#include "libshared/async/child_guard.hpp"
#include "libshared/async/deadline.hpp"
#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/async/stream.hpp"
#include "libshared/error.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace vireo {

namespace {

/// All that the child needs between fork and exec, allocated before: only async-signal-safe calls
/// are allowed there, since a worker thread may hold a lock.
struct Prepared {
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::vector<int> copies;    // of the descriptors to pass, standard ones first
    int above = 2;              // every wanted number is at most this
    char* listen_pid = nullptr; // where $LISTEN_PID's digits go
};

constexpr std::size_t pid_room = 16;

/// Writes the calling process's pid and `after` before `end`, and gives where the digits begin.
char* print_own_pid(char* end, char after) noexcept {
    *--end = after;
    for (pid_t pid = getpid(); pid > 0; pid /= 10) {
        *--end = static_cast<char>('0' + pid % 10);
    }
    return end;
}

Prepared prepare(ProcessSpec& spec) {
    Prepared made;
    made.argv.push_back(spec.program.data());
    for (std::string& argument : spec.arguments) {
        made.argv.push_back(argument.data());
    }
    made.argv.push_back(nullptr);
    if (spec.listen_pid) {
        if (!spec.environment) {
            spec.environment.emplace();
            for (char** variable = environ; *variable != nullptr; ++variable) {
                spec.environment->emplace_back(*variable);
            }
        }
        std::string& variable = spec.environment->emplace_back("LISTEN_PID=");
        const std::size_t name = variable.size();
        variable.resize(name + pid_room);
        made.listen_pid = variable.data() + name;
    }
    if (spec.environment) {
        for (std::string& variable : *spec.environment) {
            made.envp.push_back(variable.data());
        }
        made.envp.push_back(nullptr);
    }
    for (const auto& passed : spec.descriptors) {
        made.above = std::max(made.above, passed.number);
    }
    made.copies.resize(3 + spec.descriptors.size());
    return made;
}

bool write_pid_file(const char* path) noexcept {
    char digits[pid_room];
    char* const end = digits + sizeof digits;
    const char* const begin = print_own_pid(end, '\n');
    const int fd = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written =
        fd >= 0 && ::write(fd, begin, static_cast<size_t>(end - begin)) == end - begin;
    ::close(fd);
    return written;
}

/// First each descriptor is copied above every wanted number, so that none is overwritten before
/// it has been moved to its place.
bool place_descriptors(const ProcessSpec& spec, Prepared& prepared) noexcept {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    const int standard[3] = {spec.input < 0 ? null : spec.input,
                             spec.output < 0 ? null : spec.output,
                             spec.errors < 0 ? STDERR_FILENO : spec.errors};
    for (std::size_t i = 0; i < prepared.copies.size(); ++i) {
        const int source = i < 3 ? standard[i] : spec.descriptors[i - 3].fd;
        prepared.copies[i] = fcntl(source, F_DUPFD_CLOEXEC, prepared.above + 1);
        if (prepared.copies[i] < 0) {
            return false;
        }
    }
    for (std::size_t i = 0; i < prepared.copies.size(); ++i) {
        const int number = i < 3 ? static_cast<int>(i) : spec.descriptors[i - 3].number;
        if (dup2(prepared.copies[i], number) < 0) {
            return false;
        }
    }
    return true;
}

/// Ends in the program, or writes errno to `report` and exits.
[[noreturn]] void become(const ProcessSpec& spec, Prepared& prepared, int report) noexcept {
    // The report's own descriptor must not be in the way of a wanted number.
    report = fcntl(report, F_DUPFD_CLOEXEC, prepared.above + 1);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    bool ready = !spec.own_session || setsid() >= 0;
    if (spec.memlock_bytes) {
        const rlimit limit{*spec.memlock_bytes, *spec.memlock_bytes};
        ready = ready && setrlimit(RLIMIT_MEMLOCK, &limit) == 0;
    }
    ready = ready && (spec.pid_file.empty() || write_pid_file(spec.pid_file.c_str()));
    ready = ready && place_descriptors(spec, prepared);
    if (prepared.listen_pid != nullptr) {
        char* const end = prepared.listen_pid + pid_room;
        const char* const begin = print_own_pid(end, '\0');
        std::memmove(prepared.listen_pid, begin, static_cast<std::size_t>(end - begin));
    }
    if (ready) {
        if (prepared.envp.empty()) {
            execvp(prepared.argv[0], prepared.argv.data());
        } else {
            execvpe(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
        }
    }
    const int failure = errno;
    [[maybe_unused]] const auto size = ::write(report, &failure, sizeof failure);
    _exit(127);
}

Process fork_child(ProcessSpec& spec, int report) {
    Prepared prepared = prepare(spec);
    const pid_t pid = fork();
    check_errno(pid, "fork");
    if (pid == 0) {
        become(spec, prepared, report);
    }
    // Not reaped yet, so the pid is still this child's.
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    check_errno(pidfd.get(), "pidfd_open");
    return Process(pid, std::move(pidfd));
}

constexpr std::size_t most_output = std::size_t{16} << 20;

Task<void> feed(Loop& loop, Fd fd, std::string data) {
    try {
        co_await write_all(loop, fd.get(), std::move(data));
    } catch (const Error&) {
        // A command that does not read all of its input is free to do so.
    }
}

Task<void> drain(Loop& loop, Fd fd, Promised<std::string>& to) {
    try {
        std::string text = co_await read_to_end(loop, fd.get(), most_output);
        to.resolve(std::move(text));
    } catch (const Error&) {
        to.fail(std::current_exception());
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

    Output output;
    Promised<std::string> error_text(loop);
    Scope others(loop); // all streams at once: one that is full must not stop the command
    others.spawn(feed(loop, std::move(in.write), std::move(input)), program);
    others.spawn(drain(loop, std::move(errors.read), error_text), program);
    try {
        output.out = co_await read_to_end(loop, out.read.get(), most_output);
        output.errors = co_await error_text.value();
    } catch (Error& e) {
        throw e.within(program);
    }
    output.status = co_await guard.process().wait(loop);
    guard.release();
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
        return std::nullopt;
    }
    return Process(pid, std::move(pidfd));
}

void Process::kill(int signal) const noexcept {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0);
}

std::optional<ExitStatus> Process::ended() {
    siginfo_t info{};
    if (waitid(static_cast<idtype_t>(P_PIDFD),
               static_cast<id_t>(pidfd_.get()),
               &info,
               WEXITED | WNOHANG) < 0) {
        // Not our child: a pidfd of a process that has ended takes no signal.
        if (syscall(SYS_pidfd_send_signal, pidfd_.get(), 0, nullptr, 0) < 0 && errno == ESRCH) {
            return ExitStatus{};
        }
        return std::nullopt;
    }
    if (info.si_pid == 0) {
        return std::nullopt;
    }
    const auto kind =
        info.si_code == CLD_EXITED ? ExitStatus::Kind::exited : ExitStatus::Kind::signalled;
    return ExitStatus{kind, info.si_status};
}

Task<ExitStatus> Process::wait(Loop& loop) {
    while (true) {
        if (const auto status = ended()) {
            co_return *status;
        }
        co_await Ready(loop, pidfd_.get(), EPOLLIN);
        // A zombie that is not ours takes signals until its parent reaps it: it has ended all the
        // same.
        const auto status = ended();
        co_return status ? *status : ExitStatus{};
    }
}

Task<Process> spawn(Loop& loop, ProcessSpec spec) {
    Pipe report = make_pipe();
    Process child = fork_child(spec, report.write.get());
    report.write.reset();
    ChildGuard guard(loop, std::move(child));
    // Closed by execve(2), or by the child's end after it has written its errno.
    const std::string failure = co_await read_some(loop, report.read.get(), sizeof(int));
    if (failure.size() == sizeof(int)) {
        int number = 0;
        std::memcpy(&number, failure.data(), sizeof number);
        check(-number, fmt::format("start '{}'", spec.program));
    }
    co_return guard.release();
}

Task<Output>
run_command(Loop& loop, ProcessSpec spec, std::chrono::microseconds limit, std::string input) {
    std::string what = fmt::format("the command '{}'", spec.program);
    auto running = run_to_end(loop, std::move(spec), std::move(input));
    co_return co_await Deadline(loop, std::move(running), limit, std::move(what));
}

} // namespace vireo
