// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/log.hpp"

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace vireo::log {

namespace {

struct Settings {
    std::string program = "vireo";
    Level least_severe = Level::info;
    bool journal = false;
};

Settings& settings() {
    static Settings value;
    return value;
}

/// $JOURNAL_STREAM holds device and inode of the stream that systemd connected; it is inherited by
/// children whose stderr may since have been redirected, so it must be compared.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");

    struct stat status {};

    if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

/// `vireo::qemu::Task<void> f(int)` is shown as `vireo::qemu::f`.
std::string_view function_name(std::string_view pretty) {
    pretty = pretty.substr(0, pretty.find('('));
    const auto space = pretty.rfind(' ');
    return space == std::string_view::npos ? pretty : pretty.substr(space + 1);
}

const char* severity(Level level) {
    switch (level) {
    case Level::error:
        return "error: ";
    case Level::warning:
        return "warning: ";
    case Level::debug:
        return "debug: ";
    case Level::notice:
    case Level::info:
        break;
    }
    return "";
}

} // namespace

void configure(std::string_view program, Level least_severe) {
    settings().program = program;
    settings().least_severe = least_severe;
    settings().journal = stderr_is_journal();
}

bool enabled(Level level) noexcept {
    return level <= settings().least_severe;
}

void write(Level level, std::string_view line, const std::source_location& where) noexcept {
    const std::string_view function = function_name(where.function_name());
    if (settings().journal) {
        sd_journal_send("MESSAGE=%.*s",
                        static_cast<int>(line.size()),
                        line.data(),
                        "PRIORITY=%i",
                        static_cast<int>(level),
                        "SYSLOG_IDENTIFIER=%s",
                        settings().program.c_str(),
                        "CODE_FILE=%s",
                        where.file_name(),
                        "CODE_LINE=%u",
                        where.line(),
                        "CODE_FUNC=%.*s",
                        static_cast<int>(function.size()),
                        function.data(),
                        nullptr);
        return;
    }
    std::fprintf(stderr,
                 "%s: %s%.*s [%.*s]\n",
                 settings().program.c_str(),
                 severity(level),
                 static_cast<int>(line.size()),
                 line.data(),
                 static_cast<int>(function.size()),
                 function.data());
}

} // namespace vireo::log
