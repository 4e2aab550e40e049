// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "libshared/fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vireo {

/// Which NUMA nodes of the host a process takes its memory from: set_mempolicy(2).
struct MemoryPolicy {
    enum class Mode { preferred, bind, interleave };
    Mode mode = Mode::bind;
    std::vector<std::uint32_t> nodes;
};

/// A child process, described before it is run; tests compare it whole.
struct ProcessSpec {
    /// A descriptor that the child inherits under `number`.
    struct Passed {
        int fd;
        int number;
    };

    std::string program;                                 // searched in $PATH without a slash
    std::vector<std::string> arguments;                  // without argv[0], which is `program`
    std::optional<std::vector<std::string>> environment; // `NAME=value`; absent: inherited
    std::vector<Passed> descriptors;                     // beyond 0, 1 and 2; borrowed
    int input = -1;                                      // borrowed; -1: /dev/null
    int output = -1;                                     // borrowed; -1: /dev/null
    int errors = -1;                                     // borrowed; -1: the parent's
    std::optional<std::uint64_t> memlock_bytes;          // RLIMIT_MEMLOCK, hard and soft
    std::optional<MemoryPolicy> memory_policy;           // absent: the parent's
    std::string pid_file;     // written by the child before it is replaced; removed if it is not
    bool own_session = false; // setsid(2)
    bool listen_pid = false;  // adds $LISTEN_PID, the child's own pid: sd_listen_fds(3) wants it
};

/// How a process ended. `code` is the exit status, or the signal's number.
struct ExitStatus {
    enum class Kind { exited, signalled, unknown };
    Kind kind = Kind::unknown; // unknown: it was not our child
    int code = 0;

    bool success() const noexcept { return kind == Kind::exited && code == 0; }

    /// `exit status 1`, `signal 9 (Killed)`
    std::string text() const;
};

/// A process by its pidfd, so that a reused pid is never meant. Dropping it lets the process go on.
class Process {
  public:
    Process(pid_t pid, Fd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}

    /// One that runs already, whoever started it. Empty where no process has that pid; throws
    /// system_error where that cannot be known.
    static std::optional<Process> open(pid_t pid);

    pid_t pid() const noexcept { return pid_; }

    int pidfd() const noexcept { return pidfd_.get(); }

    /// pidfd_send_signal(2); a process that has ended is no error.
    void kill(int signal) const noexcept;
    /// Waits for its end, and reaps it where it is our child. One waiter at a time; the process
    /// object stays where it is meanwhile.
    Task<ExitStatus> wait(Loop& loop);
    /// The status where it has ended already, as often as it is asked for.
    std::optional<ExitStatus> ended();

  private:
    pid_t pid_;
    Fd pidfd_;
    std::optional<ExitStatus> status_; // once reaped
};

/// Starts `spec` and returns once the program runs (execve(2) has succeeded). It has no descriptor
/// but 0, 1, 2 and those of `spec`, no signal blocked and SIGPIPE at its default. Throws
/// system_error naming the program and the step where it does not run. A cancelled start kills the
/// child.
Task<Process> spawn(Loop& loop, ProcessSpec spec);

/// What is done for a child that exists and is not the program yet, given its pid.
using BeforeExec = std::function<Task<void>(pid_t pid)>;

/// The same, but the child becomes the program when `before` has returned. It ends where that
/// throws, and where this process dies meanwhile.
Task<Process> spawn(Loop& loop, ProcessSpec spec, BeforeExec before);

/// What a command printed and how it ended.
struct Output {
    ExitStatus status;
    std::string out;
    std::string errors;
};

/// Runs a command to its end with `input` on its standard input. Throws operation_timeout after
/// `limit`; the command is killed then, and where the waiter is cancelled. At most 16 MiB of output
/// are read of each stream; more is an error.
Task<Output>
run_command(Loop& loop, ProcessSpec spec, std::chrono::microseconds limit, std::string input = {});

} // namespace vireo
