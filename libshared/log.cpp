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

void write(Level level, std::string_view line, const Where& where) noexcept {
    if (settings().journal) {
        sd_journal_send("MESSAGE=%.*s",
                        static_cast<int>(line.size()),
                        line.data(),
                        "PRIORITY=%i",
                        static_cast<int>(level),
                        "SYSLOG_IDENTIFIER=%s",
                        settings().program.c_str(),
                        "CODE_FILE=%s",
                        where.file,
                        "CODE_LINE=%u",
                        where.line,
                        "CODE_FUNC=%s",
                        where.function,
                        nullptr);
        return;
    }
    std::fprintf(stderr,
                 "%s: %s%.*s [%s]\n",
                 settings().program.c_str(),
                 severity(level),
                 static_cast<int>(line.size()),
                 line.data(),
                 where.function);
}

} // namespace vireo::log
