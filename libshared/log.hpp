// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <fmt/format.h>

#include <string_view>

/// One line per state change, with the object's id and who asked for it. Lines go to the journal
/// where stderr is connected to it (`$JOURNAL_STREAM`, systemd.exec(5)), else to stderr; both carry
/// the name of the function that logs.
namespace vireo::log {

/// syslog(3) severities.
enum class Level : int { error = 3, warning = 4, notice = 5, info = 6, debug = 7 };

/// Where a line of the program stands. clang 14 does not know std::source_location.
struct Where {
    static constexpr Where here(const char* file = __builtin_FILE(),
                                unsigned line = __builtin_LINE(),
                                const char* function = __builtin_FUNCTION()) {
        return {file, line, function};
    }

    const char* file;
    unsigned line;
    const char* function;
};

/// A format string that remembers where it stands.
template <class... A>
struct Text {
    template <class S>
    consteval Text(const S& text, Where where = Where::here()) : format(text), where(where) {}

    fmt::format_string<A...> format;
    Where where;
};

/// The program's name as it is shown, and the least severe level that is (default: info).
void configure(std::string_view program, Level least_severe);
bool enabled(Level level) noexcept;
void write(Level level, std::string_view line, const Where& where) noexcept;

template <class... A>
void print(Level level, const Text<std::type_identity_t<A>...>& text, A&&... args) {
    if (enabled(level)) {
        write(level, fmt::format(text.format, std::forward<A>(args)...), text.where);
    }
}

template <class... A>
void error(Text<std::type_identity_t<A>...> text, A&&... args) {
    print(Level::error, text, std::forward<A>(args)...);
}

template <class... A>
void warning(Text<std::type_identity_t<A>...> text, A&&... args) {
    print(Level::warning, text, std::forward<A>(args)...);
}

template <class... A>
void info(Text<std::type_identity_t<A>...> text, A&&... args) {
    print(Level::info, text, std::forward<A>(args)...);
}

template <class... A>
void debug(Text<std::type_identity_t<A>...> text, A&&... args) {
    print(Level::debug, text, std::forward<A>(args)...);
}

} // namespace vireo::log
