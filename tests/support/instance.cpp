// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/instance.hpp"

#include "libshared/error.hpp"
#include "tests/support/failures.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace vireo::test {

using namespace std::chrono_literals;

namespace {

/// More than what everything gets to end by itself before it is killed.
constexpr auto end_limit = 20s;

std::string read_line(int fd) {
    std::string line;
    char letter = 0;
    while (read(fd, &letter, 1) == 1 && letter != '\n') {
        line.push_back(letter);
    }
    if (letter != '\n') {
        throw Error(ErrorCode::operation_failed, "the instance did not start, its error is above");
    }
    return line;
}

std::string read_rest(int fd) {
    std::string text;
    char chunk[4096];
    for (ssize_t size = 0; (size = read(fd, chunk, sizeof chunk)) > 0;) {
        text.append(chunk, static_cast<std::size_t>(size));
    }
    return text;
}

std::pair<Fd, Fd> make_pipe() {
    int ends[2];
    check_errno(pipe2(ends, O_CLOEXEC), "create a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

} // namespace

Instance::Instance(const InstanceOptions& options) {
    auto [their_input, our_input] = make_pipe();
    auto [our_output, their_output] = make_pipe();
    Command command{.words = {build_dir() / "tests/support/vireo-instance",
                              "--daemons",
                              options.daemons.empty() ? build_dir() / "daemons" : options.daemons,
                              "--hold"},
                    .environment = options.environment,
                    .input = their_input.get(),
                    .output = their_output.get()};
    if (!options.root.empty()) {
        command.words.insert(command.words.end(), {"--root", options.root});
    }
    holder_.emplace(command);
    their_output.reset();
    input_ = std::move(our_input);
    output_ = std::move(our_output);
    bus_address_ = read_line(output_.get());
    root_ = read_line(output_.get());
    log_path_ = read_line(output_.get());
}

Instance::~Instance() {
    try {
        stop();
    } catch (const std::exception& error) {
        ADD_FAIL_CHECK_AT(__FILE__, __LINE__, std::string(error.what()));
    }
}

void Instance::stop() {
    if (!input_) {
        return;
    }
    input_.reset();
    check_log(read_rest(output_.get()));
    if (!holder_->wait(end_limit)) {
        throw Error(
            ErrorCode::operation_timeout, "the instance at '{}' does not end", root_.string());
    }
}

void Instance::check_log(std::string_view log) const {
    const bool sanitizer = log.find("Sanitizer") != std::string_view::npos ||
                           log.find("runtime error: ") != std::string_view::npos;
    if (sanitizer) {
        ADD_FAIL_CHECK_AT(__FILE__, __LINE__, "a sanitizer reports an error in a daemon");
    }
    if (test_has_failed() && !log.empty()) {
        std::printf(
            "--- what the daemons printed:\n%.*s---\n", static_cast<int>(log.size()), log.data());
    }
}

Client Instance::connect_driver(std::string_view driver) const {
    return Client(fmt::format("unix:path={}/run/{}.sock", root_.string(), driver),
                  Client::Kind::peer);
}

Finished Instance::run(std::vector<std::string> words, std::chrono::milliseconds limit) const {
    return run_command({.words = std::move(words),
                        .environment = {"DBUS_SESSION_BUS_ADDRESS=" + bus_address_,
                                        "DBUS_SYSTEM_BUS_ADDRESS=" + bus_address_,
                                        "VIREO_ROOT=" + root_.string()}},
                       limit);
}

std::vector<Process> Instance::processes() const {
    std::vector<Process> found = descendants_of(holder_->pid());
    std::erase_if(found, [](const Process& process) { return process.program == "dbus-daemon"; });
    return found;
}

std::optional<pid_t> Instance::find(std::string_view program) const {
    std::optional<pid_t> pid;
    for (const Process& process : processes()) {
        if (process.program != program) {
            continue;
        }
        if (pid) {
            return std::nullopt;
        }
        pid = process.pid;
    }
    return pid;
}

void Instance::end(std::string_view program, int signal) const {
    for (const Process& process : processes()) {
        if (process.program != program) {
            continue;
        }
        const Fd pidfd = open_pidfd(process.pid);
        if (pidfd) {
            send_signal(pidfd, signal);
            if (!wait_readable(pidfd.get(), end_limit)) {
                throw Error(ErrorCode::operation_timeout,
                            "'{}' does not end on signal {}",
                            process.command_line,
                            signal);
            }
        }
    }
}

std::vector<std::string> Instance::files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
        if (!entry.is_directory()) {
            found.push_back(entry.path().lexically_relative(root_));
        }
    }
    std::ranges::sort(found);
    return found;
}

std::string Instance::log() const {
    std::ostringstream text;
    text << std::ifstream(log_path_).rdbuf();
    return text.str();
}

} // namespace vireo::test
