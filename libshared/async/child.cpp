// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/async/child.hpp"

#include "libshared/error.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/mempolicy.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>

namespace vireo {

namespace {

/// All that the child needs between fork and exec, allocated before: only async-signal-safe calls
/// are allowed there, since a worker thread may hold a lock.
struct Prepared {
    std::vector<char*> argv;
    std::vector<char*> envp;
    std::vector<int> copies;          // of the descriptors to pass, standard ones first
    std::vector<unsigned long> nodes; // the memory policy's, as bits
    int above = 2;                    // every wanted number is at most this
    char* listen_pid = nullptr;       // where $LISTEN_PID's digits go
};

constexpr std::size_t pid_room = 16;
constexpr std::size_t word_bits = 8 * sizeof(unsigned long);

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
                if (!std::string_view(*variable).starts_with("LISTEN_PID=")) { // ours, not its
                    spec.environment->emplace_back(*variable);
                }
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
    if (spec.memory_policy) {
        for (const std::uint32_t node : spec.memory_policy->nodes) {
            made.nodes.resize(std::max<std::size_t>(made.nodes.size(), node / word_bits + 1));
            made.nodes[node / word_bits] |= 1UL << node % word_bits;
        }
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
    if (fd < 0) {
        return false;
    }
    const bool written = ::write(fd, begin, static_cast<size_t>(end - begin)) == end - begin;
    const int failure = errno;
    ::close(fd);
    errno = failure;
    return written;
}

/// First each descriptor is copied above every wanted number, so that none is overwritten before
/// it has been moved to its place. All others close, also those that a library or whoever started
/// this daemon left open.
bool place_descriptors(const ProcessSpec& spec, Prepared& prepared) noexcept {
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC); // Linux 5.11; before it: best effort
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

int kernel_mode(MemoryPolicy::Mode mode) noexcept {
    switch (mode) {
    case MemoryPolicy::Mode::preferred:
        return MPOL_PREFERRED;
    case MemoryPolicy::Mode::interleave:
        return MPOL_INTERLEAVE;
    case MemoryPolicy::Mode::bind:
        break;
    }
    return MPOL_BIND;
}

/// Waits for the parent's word; false where it will not come: the parent gave up, or has died.
bool pass_gate(const ChildGate& gate) noexcept {
    if (gate.wait < 0) {
        return true;
    }
    ::close(gate.open); // or the end would never be seen
    char word = 0;
    ssize_t got = 0;
    do {
        got = ::read(gate.wait, &word, 1);
    } while (got < 0 && errno == EINTR);
    return got == 1;
}

/// Gives the step that failed, errno set, or ChildStep::exec where only that is left.
ChildStep get_ready(const ProcessSpec& spec, Prepared& prepared, ChildGate gate) noexcept {
    if (spec.own_session && setsid() < 0) {
        return ChildStep::session;
    }
    if (spec.memlock_bytes) {
        const rlimit limit{*spec.memlock_bytes, *spec.memlock_bytes};
        if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0) {
            return ChildStep::memlock;
        }
    }
    // The kernel takes one bit less than it is told of.
    if (spec.memory_policy && syscall(SYS_set_mempolicy,
                                      kernel_mode(spec.memory_policy->mode),
                                      prepared.nodes.data(),
                                      prepared.nodes.size() * word_bits + 1) < 0) {
        return ChildStep::memory_policy;
    }
    if (!pass_gate(gate)) {
        _exit(127);
    }
    if (!place_descriptors(spec, prepared)) {
        return ChildStep::descriptors;
    }
    if (!spec.pid_file.empty() && !write_pid_file(spec.pid_file.c_str())) {
        return ChildStep::pid_file;
    }
    return ChildStep::exec;
}

/// Ends in the program, or writes a ChildFailure to `report` and exits.
[[noreturn]] void
become(const ProcessSpec& spec, Prepared& prepared, int report, ChildGate gate) noexcept {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    signal(SIGPIPE, SIG_DFL);
    // The report's own descriptor must not be in the way of a wanted number.
    const int moved = fcntl(report, F_DUPFD_CLOEXEC, prepared.above + 1);
    const ChildStep reached = moved < 0 ? ChildStep::descriptors : get_ready(spec, prepared, gate);
    if (prepared.listen_pid != nullptr) {
        char* const end = prepared.listen_pid + pid_room;
        const char* const begin = print_own_pid(end, '\0');
        std::memmove(prepared.listen_pid, begin, static_cast<std::size_t>(end - begin));
    }
    if (moved >= 0 && reached == ChildStep::exec) {
        if (prepared.envp.empty()) {
            execvp(prepared.argv[0], prepared.argv.data());
        } else {
            execvpe(prepared.argv[0], prepared.argv.data(), prepared.envp.data());
        }
    }
    const ChildFailure failure{reached, errno};
    if (reached == ChildStep::exec && !spec.pid_file.empty()) {
        ::unlink(spec.pid_file.c_str());
    }
    [[maybe_unused]] const auto size =
        ::write(moved < 0 ? report : moved, &failure, sizeof failure);
    _exit(127);
}

/// What the child was doing, for the error's text.
std::string text_of(ChildStep step, const ProcessSpec& spec) {
    switch (step) {
    case ChildStep::session:
        return "make a session: ";
    case ChildStep::memlock:
        return spec.memlock_bytes == RLIM_INFINITY
                   ? "allow any amount of locked memory (CAP_SYS_RESOURCE is needed): "
                   : fmt::format("allow {} bytes of locked memory: ",
                                 spec.memlock_bytes.value_or(0));
    case ChildStep::memory_policy:
        return fmt::format("take memory of the host's NUMA nodes {}: ",
                           fmt::join(spec.memory_policy->nodes, ", "));
    case ChildStep::pid_file:
        return fmt::format("write '{}': ", spec.pid_file);
    case ChildStep::descriptors:
        return "place its descriptors: ";
    case ChildStep::exec:
        break;
    }
    return "";
}

} // namespace

Process fork_child(ProcessSpec& spec, int report, ChildGate gate) {
    Prepared prepared = prepare(spec);
    const pid_t pid = fork();
    check_errno(pid, "fork");
    if (pid == 0) {
        become(spec, prepared, report, gate);
    }
    // Not reaped yet, so the pid is still this child's.
    Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
        const int failure = errno;
        ::kill(pid, SIGKILL); // a child that nobody could watch or end
        ::waitpid(pid, nullptr, 0);
        check(-failure, "pidfd_open");
    }
    return Process(pid, std::move(pidfd));
}

std::string text_of(const ChildFailure& failure, const ProcessSpec& spec) {
    return fmt::format("start '{}': {}{}",
                       spec.program,
                       text_of(failure.step, spec),
                       std::generic_category().message(failure.error));
}

} // namespace vireo
