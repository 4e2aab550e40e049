// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/descendants.hpp"

#include "libshared/error.hpp"
#include "tests/support/child.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

namespace vireo::test {

using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

struct Stat {
    char state;
    pid_t parent;
};

std::string read_all(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

/// The program's name stands in parentheses and may itself hold spaces and parentheses.
std::optional<Stat> read_stat(pid_t pid) {
    const std::string text = read_all(fmt::format("/proc/{}/stat", pid));
    const auto end_of_name = text.rfind(')');
    if (end_of_name == std::string::npos) {
        return std::nullopt;
    }
    std::istringstream rest(text.substr(end_of_name + 1));
    Stat stat{};
    rest >> stat.state >> stat.parent;
    return stat;
}

std::map<pid_t, Stat> all_processes() {
    std::map<pid_t, Stat> result;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) {
            continue;
        }
        if (const auto stat = read_stat(pid)) {
            result.emplace(pid, *stat);
        }
    }
    return result;
}

void collect(const std::map<pid_t, Stat>& all, pid_t parent, std::vector<pid_t>& found) {
    for (const auto& [pid, stat] : all) {
        if (stat.parent == parent) {
            found.push_back(pid);
            collect(all, pid, found);
        }
    }
}

std::vector<pid_t> living_below(pid_t ancestor) {
    const auto all = all_processes();
    std::vector<pid_t> found;
    collect(all, ancestor, found);
    std::erase_if(found, [&](pid_t pid) { return all.at(pid).state == 'Z'; });
    return found;
}

bool descends_from(pid_t pid, pid_t ancestor) {
    while (pid > 1 && pid != ancestor) {
        const auto stat = read_stat(pid);
        pid = stat ? stat->parent : 0;
    }
    return pid == ancestor;
}

void reap() noexcept {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
}

/// A number may have passed to a foreign process since it was listed; one that descends from us
/// while we hold its pidfd is ours.
void signal_own(pid_t pid, int signal) {
    const Fd pidfd = open_pidfd(pid);
    if (pidfd && descends_from(pid, getpid())) {
        send_signal(pidfd, signal);
    }
}

/// Waits for the end of one of them, but no longer than `limit`.
void wait_for_any(const std::vector<pid_t>& pids, std::chrono::milliseconds limit) {
    const Fd pidfd = open_pidfd(pids.back());
    if (pidfd) {
        wait_readable(pidfd.get(), limit);
    }
    reap();
}

} // namespace

std::vector<Process> descendants_of(pid_t ancestor) {
    std::vector<Process> result;
    for (const pid_t pid : living_below(ancestor)) {
        std::error_code gone;
        const auto program =
            std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), gone).filename();
        std::string words = read_all(fmt::format("/proc/{}/cmdline", pid));
        std::ranges::replace(words, '\0', ' ');
        if (!gone) {
            result.push_back({pid, program, words});
        }
    }
    return result;
}

void adopt_orphans() {
    check_errno(prctl(PR_SET_CHILD_SUBREAPER, 1), "become the parent of orphans");
}

void end_descendants(std::chrono::milliseconds grace) {
    const auto deadline = Clock::now() + grace;
    std::vector<pid_t> asked;
    while (true) {
        reap();
        const std::vector<pid_t> living = living_below(getpid());
        if (living.empty()) {
            return;
        }
        const bool patient = Clock::now() < deadline;
        for (const pid_t pid : living) {
            if (!patient) {
                signal_own(pid, SIGKILL);
            } else if (std::ranges::find(asked, pid) == asked.end()) {
                signal_own(pid, SIGTERM);
                asked.push_back(pid);
            }
        }
        // Short enough to see those that are started meanwhile.
        wait_for_any(living, 100ms);
    }
}

} // namespace vireo::test
