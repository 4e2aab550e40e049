// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tests/support/qmp_child.hpp"

#include "tests/support/paths.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace vireo::test {

using nlohmann::json;

QmpChild::QmpChild(const std::vector<std::string>& argv) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) < 0 || ::pipe2(out, O_CLOEXEC) < 0) {
        throw std::runtime_error("pipe2 failed");
    }
    spawn(argv, {}, in[0], out[1]);
    ::close(in[0]);
    ::close(out[1]);
    to_child_ = in[1];
    from_child_ = out[0];
    negotiate();
}

QmpChild::QmpChild(const std::vector<std::string>& argv,
                   const std::vector<std::pair<int, int>>& passed,
                   int qmp)
    : to_child_(qmp), from_child_(::fcntl(qmp, F_DUPFD_CLOEXEC, 3)) {
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    spawn(argv, passed, nothing, nothing);
    ::close(nothing);
    negotiate();
}

QmpChild::~QmpChild() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    for (const int fd : {to_child_, from_child_, errors_}) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

void QmpChild::spawn(const std::vector<std::string>& argv,
                     const std::vector<std::pair<int, int>>& passed,
                     int in,
                     int out) {
    errors_ = ::memfd_create("stderr", MFD_CLOEXEC);
    std::vector<char*> words;
    for (const std::string& word : argv) {
        words.push_back(const_cast<char*>(word.c_str()));
    }
    words.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(errors_, 2);
        // Out of the way first: a wanted number may be another one's present number.
        constexpr int above = 100;
        std::vector<std::pair<int, int>> moved;
        for (const auto& [fd, number] : passed) {
            moved.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, above), number);
        }
        for (const auto& [fd, number] : moved) {
            ::dup2(fd, number);
        }
        ::execvp(words[0], words.data());
        ::_exit(127);
    }
    if (pid_ < 0) {
        throw std::runtime_error("fork failed");
    }
}

void QmpChild::negotiate() {
    const json greeting = read_line();
    if (!greeting.contains("QMP")) {
        throw std::runtime_error("no QMP greeting");
    }
    execute("qmp_capabilities");
}

json QmpChild::read_line() {
    for (;;) {
        if (const auto end = buffer_.find('\n'); end != std::string::npos) {
            json line = json::parse(buffer_.substr(0, end));
            buffer_.erase(0, end + 1);
            return line;
        }
        char chunk[65536];
        const ssize_t got = ::read(from_child_, chunk, sizeof chunk);
        if (got <= 0) {
            throw std::runtime_error("QEMU ended: " + finish());
        }
        buffer_.append(chunk, static_cast<size_t>(got));
    }
}

json QmpChild::execute(const std::string& command, const json& arguments) {
    json message = json::object();
    message["execute"] = command;
    if (!arguments.is_null()) {
        message["arguments"] = arguments;
    }
    const std::string text = message.dump() + "\n";
    if (::write(to_child_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw std::runtime_error("QEMU does not read: " + finish());
    }
    for (;;) {
        json answer = read_line();
        if (answer.contains("return") || answer.contains("error")) {
            return answer;
        }
    }
}

std::string QmpChild::finish() {
    if (pid_ > 0) {
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
    std::string text;
    char chunk[4096];
    ::lseek(errors_, 0, SEEK_SET);
    for (ssize_t got; (got = ::read(errors_, chunk, sizeof chunk)) > 0;) {
        text.append(chunk, static_cast<size_t>(got));
    }
    return text;
}

std::string conformance_dir() {
    const char* given = std::getenv("VIREO_CONFORMANCE");
    const std::filesystem::path dir =
        given ? given : source_dir().parent_path() / "shared" / "conformance";
    return std::filesystem::is_directory(dir) ? dir.string() : std::string();
}

} // namespace vireo::test
