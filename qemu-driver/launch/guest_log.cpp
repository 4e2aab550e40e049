// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/guest_log.hpp"

#include "libshared/error.hpp"
#include "libshared/files.hpp"

#include <fmt/chrono.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace vireo::qemu {

namespace {

/// A word as a POSIX shell takes it back.
std::string quoted(const std::string& word) {
    const std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) {
        return word;
    }
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

} // namespace

GuestLog::GuestLog(const std::string& folder, const std::string& name)
    : path_(folder + "/" + name + ".log") {
    make_folders(folder);
    fd_.reset(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    check_errno(fd_.get(), fmt::format("open '{}'", path_));
}

void GuestLog::write_start(const std::vector<std::string>& argv) {
    std::string text =
        fmt::format("{:%Y-%m-%d %H:%M:%S} UTC: starting\n", fmt::gmtime(std::time(nullptr)));
    for (const std::string& word : argv) {
        text += quoted(word);
        text += word.starts_with('-') ? ' ' : '\n';
    }
    text += text.ends_with('\n') ? "" : "\n";
    check_errno(static_cast<int>(::write(fd_.get(), text.data(), text.size())),
                fmt::format("write '{}'", path_));
    start_ = ::lseek(fd_.get(), 0, SEEK_END);
}

std::string GuestLog::last_words(std::size_t most) const {
    const off_t end = ::lseek(fd_.get(), 0, SEEK_END);
    const off_t begin = std::max(start_, end - static_cast<off_t>(most));
    std::string text(static_cast<std::size_t>(std::max<off_t>(end - begin, 0)), '\0');
    const ssize_t size = ::pread(fd_.get(), text.data(), text.size(), begin);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

} // namespace vireo::qemu
