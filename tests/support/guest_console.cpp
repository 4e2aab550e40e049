// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/guest_console.hpp"

#include "libshared/daemon/sockets.hpp"
#include "tests/support/child.hpp"
#include "tests/support/paths.hpp"

#include <fmt/format.h>

#include <poll.h>
#include <unistd.h>

#include <stdexcept>

namespace vireo::test {

using namespace std::chrono_literals;

GuestConsole::GuestConsole(const std::string& path) : fd_(connect_unix(path)) {
    if (!fd_) {
        throw std::runtime_error("nobody listens at " + path);
    }
}

std::string GuestConsole::await(const std::string& text, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (got_.find(text) == std::string::npos) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd waiting{fd_.get(), POLLIN, 0};
        char chunk[4096];
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
            throw std::runtime_error("no '" + text + "' from the guest, but: " + got_);
        }
        const ssize_t count = ::read(fd_.get(), chunk, sizeof chunk);
        if (count <= 0) {
            throw std::runtime_error("the guest's console is closed after: " + got_);
        }
        got_.append(chunk, static_cast<std::size_t>(count));
    }
    const std::size_t end = got_.find(text) + text.size();
    std::string before = got_.substr(0, end);
    got_.erase(0, end);
    return before;
}

std::string GuestConsole::run(const std::string& command, std::chrono::milliseconds limit) {
    // The console echoes what is typed: the marks of the output are put together by the shell.
    const std::string line = "echo '<''<'; " + command + "; echo '>''>'\n";
    if (::write(fd_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        throw std::runtime_error("the guest's console takes nothing");
    }
    await("<<\r\n", limit);
    std::string output = await(">>\r\n", limit);
    output.erase(output.size() - 4);
    while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
        output.pop_back();
    }
    return output;
}

GuestFiles guest_files() {
    const auto folder = build_dir() / "guest";
    const std::string program = (source_dir() / "tests/support/make_guest.sh").string();
    const Finished made = run_command({.words = {program, folder.string()}}, 60s);
    if (made.status != 0) {
        throw std::runtime_error("make_guest.sh: " + made.output);
    }
    return {(folder / "vmlinuz").string(), (folder / "initrd").string()};
}

} // namespace vireo::test
