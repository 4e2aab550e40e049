// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/index.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <charconv>
#include <iterator>

namespace vireo::qemu {

namespace {

constexpr std::string_view heading = "vireo domain index 1\n";

std::int64_t nanoseconds(const timespec& time) noexcept {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Takes the text up to `end` off the front.
std::optional<std::string_view> take(std::string_view& text, char end) {
    const auto position = text.find(end);
    if (position == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view taken = text.substr(0, position);
    text.remove_prefix(position + 1);
    return taken;
}

template <class T>
bool take_number(std::string_view& text, T& number) {
    const auto word = take(text, ' ');
    if (!word) {
        return false;
    }
    const auto [end, failure] = std::from_chars(word->data(), word->data() + word->size(), number);
    return failure == std::errc() && end == word->data() + word->size();
}

} // namespace

FileMark mark_of(const struct stat& status) noexcept {
    return {status.st_ino,
            static_cast<std::uint64_t>(status.st_size),
            nanoseconds(status.st_mtim),
            nanoseconds(status.st_ctim)};
}

std::string format_index(const Index& index) {
    std::string text(heading);
    for (const auto& [uuid, entry] : index) {
        const FileMark& mark = entry.mark;
        fmt::format_to(std::back_inserter(text),
                       "{} {} {} {} {} {}\n",
                       uuid,
                       mark.inode,
                       mark.size,
                       mark.mtime_ns,
                       mark.ctime_ns,
                       entry.name);
    }
    return text;
}

Index parse_index(std::string_view text) {
    Index index;
    if (!text.starts_with(heading)) {
        return index;
    }
    text.remove_prefix(heading.size());
    while (!text.empty()) {
        const auto uuid = take(text, ' ');
        IndexEntry entry;
        FileMark& mark = entry.mark;
        const bool numbers = uuid && take_number(text, mark.inode) &&
                             take_number(text, mark.size) && take_number(text, mark.mtime_ns) &&
                             take_number(text, mark.ctime_ns);
        const auto name = take(text, '\n');
        if (!numbers || !name) {
            return {};
        }
        entry.name = *name;
        index.emplace(*uuid, std::move(entry));
    }
    return index;
}

} // namespace vireo::qemu
