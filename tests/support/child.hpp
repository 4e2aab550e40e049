// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::test {

/// A command to run: its words, what is set in its environment beside the caller's, and the
/// descriptors that become its standard input, output and error output (-1: the caller's own).
struct Command {
    std::vector<std::string> words;
    std::vector<std::string> environment = {};
    int input = -1;
    int output = -1;
    int errors = -1;
};

/// A child process, waited for through its pidfd; destroying it kills and reaps it.
class Child {
  public:
    /// Starts the command with no signal blocked; the first word is looked up in $PATH. Throws
    /// system_error when it cannot be started.
    explicit Child(const Command& command);
    Child(Child&&) = default;
    Child& operator=(Child&&) = delete;
    ~Child();

    pid_t pid() const noexcept { return pid_; }

    int pidfd() const noexcept { return pidfd_.get(); }

    /// Waits at most `limit`; the exit status as a shell gives it (128 + N after signal N), or
    /// nothing where the child still runs.
    std::optional<int> wait(std::chrono::milliseconds limit);
    void send(int signal) const noexcept;

  private:
    pid_t pid_;
    Fd pidfd_;
};

/// What a finished command printed on both its outputs, and how it ended.
struct Finished {
    int status;
    std::string output;
};

/// Runs the command to its end with no input. Throws operation_timeout, the command killed, when
/// `limit` passes.
Finished run_command(Command command, std::chrono::milliseconds limit);

/// The exit status of waitpid(2) as a shell gives it.
int shell_status(int wait_status) noexcept;

/// pidfd_open(2); an empty Fd where the process is gone.
Fd open_pidfd(pid_t pid) noexcept;
/// pidfd_send_signal(2); a process that has ended is none of the caller's concern.
void send_signal(const Fd& pidfd, int signal) noexcept;

/// True once the descriptor is readable (a pidfd: the process has ended), false after `limit`.
bool wait_readable(int fd, std::chrono::milliseconds limit);

} // namespace vireo::test
