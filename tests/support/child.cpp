// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/child.hpp"

#include "libshared/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <memory>
#include <utility>

// The system calls are made by number: glibc 2.36 declares these functions without C linkage.
namespace vireo::test {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

std::string_view name_of(std::string_view setting) {
    return setting.substr(0, setting.find('='));
}

std::vector<std::string> merged_environment(const std::vector<std::string>& settings) {
    std::vector<std::string> merged = settings;
    for (char** inherited = environ; *inherited != nullptr; ++inherited) {
        const bool replaced = std::ranges::any_of(settings, [&](const std::string& setting) {
            return name_of(setting) == name_of(*inherited);
        });
        if (!replaced) {
            merged.emplace_back(*inherited);
        }
    }
    return merged;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words) {
        result.push_back(word.data());
    }
    result.push_back(nullptr);
    return result;
}

pid_t spawn(const Command& command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::unique_ptr<posix_spawn_file_actions_t, int (*)(posix_spawn_file_actions_t*)>
        free_actions(&actions, &posix_spawn_file_actions_destroy);
    const std::pair<int, int> redirections[] = {{command.input, STDIN_FILENO},
                                                {command.output, STDOUT_FILENO},
                                                {command.errors, STDERR_FILENO}};
    for (const auto& [from, to] : redirections) {
        if (from >= 0) {
            posix_spawn_file_actions_adddup2(&actions, from, to);
        }
    }

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    const std::unique_ptr<posix_spawnattr_t, int (*)(posix_spawnattr_t*)> free_attributes(
        &attributes, &posix_spawnattr_destroy);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);

    std::vector<std::string> words = command.words;
    std::vector<std::string> environment = merged_environment(command.environment);
    pid_t pid = -1;
    const int failure = posix_spawnp(&pid,
                                     words.at(0).c_str(),
                                     &actions,
                                     &attributes,
                                     pointers(words).data(),
                                     pointers(environment).data());
    check(-failure, fmt::format("run '{}'", words[0]));
    return pid;
}

} // namespace

int shell_status(int wait_status) noexcept {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

Fd open_pidfd(pid_t pid) noexcept {
    return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

void send_signal(const Fd& pidfd, int signal) noexcept {
    syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

bool wait_readable(int fd, std::chrono::milliseconds limit) {
    const auto deadline = Clock::now() + limit;
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd watched{.fd = fd, .events = POLLIN, .revents = 0};
        const int ready = poll(&watched, 1, static_cast<int>(std::max(left, 0ms).count()));
        if (ready != -1 || errno != EINTR) {
            return check_errno(ready, "poll") > 0;
        }
    }
}

Child::Child(const Command& command) : pid_(spawn(command)), pidfd_(open_pidfd(pid_)) {}

Child::~Child() {
    if (pidfd_) {
        send(SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

std::optional<int> Child::wait(std::chrono::milliseconds limit) {
    if (!wait_readable(pidfd_.get(), limit)) {
        return std::nullopt;
    }
    int status = 0;
    check_errno(waitpid(pid_, &status, 0), "wait for a child process");
    pidfd_.reset();
    return shell_status(status);
}

void Child::send(int signal) const noexcept {
    send_signal(pidfd_, signal);
}

Finished run_command(Command command, std::chrono::milliseconds limit) {
    int ends[2];
    check_errno(pipe2(ends, O_CLOEXEC), "create a pipe");
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    const Fd nothing(open("/dev/null", O_RDONLY | O_CLOEXEC));
    command.input = nothing.get();
    command.output = writer.get();
    command.errors = writer.get();
    Child child(command);
    writer.reset();

    const auto deadline = Clock::now() + limit;
    std::string output;
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        char chunk[4096];
        ssize_t size = -1;
        if (wait_readable(reader.get(), left)) {
            size = read(reader.get(), chunk, sizeof chunk);
        }
        if (size < 0) {
            throw Error(ErrorCode::operation_timeout,
                        "'{}' did not end within {} ms; it printed: {}",
                        command.words[0],
                        limit.count(),
                        output);
        }
        if (size == 0) {
            break;
        }
        output.append(chunk, static_cast<std::size_t>(size));
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const std::optional<int> status = child.wait(left);
    if (!status) {
        throw Error(ErrorCode::operation_timeout, "'{}' does not end", command.words[0]);
    }
    return {*status, output};
}

} // namespace vireo::test
