// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/benchmark/qemu_alone.hpp"

#include "libshared/daemon/sockets.hpp"
#include "libshared/error.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>
#include <regex>

namespace vireo::benchmark {

namespace {

/// The key of the guest's secrets went with the guest.
std::vector<std::string> without_master_key(std::vector<std::string> words) {
    const auto is_key = [](const std::string& word) {
        return word.find("masterKey0") != std::string::npos;
    };
    const auto key = std::ranges::find_if(words, is_key);
    if (key != words.end()) {
        words.erase(key - 1, key + 1); // with the `-object` before it
    }
    return words;
}

/// `-chardev socket,id=charmonitor,fd=24,...`: the number is the other process's.
std::vector<std::string> with_monitor(std::vector<std::string> words, const Fd& socket) {
    static const std::regex number("fd=[0-9]+");
    int replaced = 0;
    for (std::string& word : words) {
        if (word.starts_with("socket,") && word.find("monitor") != std::string::npos) {
            word = std::regex_replace(word, number, fmt::format("fd={}", socket.get()));
            ++replaced;
        }
    }
    if (replaced != 1) {
        throw Error(ErrorCode::internal, "QEMU has {} monitors, not one", replaced);
    }
    return words;
}

/// Connects without O_NONBLOCK: the child that we talk with is read by blocking calls.
int blocking_connection(const std::string& path) {
    Fd fd = connect_unix(path);
    check_errno(fcntl(fd.get(), F_SETFL, 0), "make the monitor block");
    return fd.release();
}

} // namespace

std::vector<std::string> words_of(pid_t pid) {
    std::ifstream in(fmt::format("/proc/{}/cmdline", pid), std::ios::binary);
    std::vector<std::string> words;
    for (std::string word; std::getline(in, word, '\0');) {
        words.push_back(word);
    }
    return words;
}

QemuAlone::QemuAlone(std::vector<std::string> words)
    : listening_(listen_unix(folder_.path() / "monitor")),
      child_(with_monitor(without_master_key(std::move(words)), listening_),
             {{listening_.get(), listening_.get()}},
             blocking_connection(folder_.path() / "monitor")) {
    child_.execute("query-status");
}

void QemuAlone::quit() {
    child_.execute("quit");
    child_.finish();
}

} // namespace vireo::benchmark
