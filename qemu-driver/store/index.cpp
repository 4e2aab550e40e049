// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/index.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <iterator>

namespace vireo::qemu {

namespace {

constexpr std::string_view heading = "vireo domain index 2\n";

std::int64_t nanoseconds(const timespec& time) noexcept {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool is_plain(char c) noexcept {
    return static_cast<unsigned char>(c) > ' ' && c != '%';
}

/// Appends a blank and the text as one word.
void put_text(std::string& line, std::string_view text) {
    line += ' ';
    for (const char c : text) {
        if (is_plain(c)) {
            line += c;
        } else {
            fmt::format_to(std::back_inserter(line), "%{:02x}", static_cast<unsigned char>(c));
        }
    }
}

template <class... T>
void put_numbers(std::string& line, T... numbers) {
    (fmt::format_to(std::back_inserter(line), " {}", numbers), ...);
}

void put_summary(std::string& line, const DomainSummary& summary) {
    put_numbers(
        line, summary.memory_kib, summary.current_memory_kib, summary.vcpus, summary.current_vcpus);
    put_text(line, summary.nvram);
    for (const DomainSummary::Image& image : summary.images) {
        put_numbers(line, static_cast<int>(image.backing));
        put_text(line, image.target);
        put_text(line, image.path);
    }
}

/// The words of one line. What does not fit makes `good` false; the values are of no use then.
class Words {
  public:
    explicit Words(std::string_view line) : rest_(line) {}

    bool good() const noexcept { return good_; }

    bool at_end() const noexcept { return at_end_; }

    std::string_view word() {
        good_ = good_ && !at_end_;
        const auto blank = rest_.find(' ');
        const std::string_view taken = rest_.substr(0, blank);
        at_end_ = blank == std::string_view::npos;
        rest_.remove_prefix(at_end_ ? rest_.size() : blank + 1);
        return taken;
    }

    template <class T>
    void take(T& number) {
        good_ = read_number(word(), number, 10) && good_;
    }

    void take(std::string& text) {
        std::string_view raw = word();
        text.reserve(raw.size());
        while (!raw.empty()) {
            std::size_t used = 1;
            if (raw.front() == '%') {
                std::uint8_t byte = 0;
                used = 3;
                good_ = raw.size() >= used && read_number(raw.substr(1, 2), byte, 16) && good_;
                text += static_cast<char>(byte);
            } else {
                text += raw.front();
            }
            raw.remove_prefix(std::min(used, raw.size()));
        }
    }

  private:
    template <class T>
    static bool read_number(std::string_view text, T& number, int base) {
        const char* end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data(), end, number, base);
        return failure == std::errc() && stop == end;
    }

    std::string_view rest_;
    bool good_ = true;
    bool at_end_ = false;
};

std::shared_ptr<const DomainSummary> take_summary(Words& words) {
    if (words.at_end()) {
        return nullptr;
    }
    auto summary = std::make_shared<DomainSummary>();
    words.take(summary->memory_kib);
    words.take(summary->current_memory_kib);
    words.take(summary->vcpus);
    words.take(summary->current_vcpus);
    words.take(summary->nvram);
    while (words.good() && !words.at_end()) {
        DomainSummary::Image image;
        int backing = 0;
        words.take(backing);
        words.take(image.target);
        words.take(image.path);
        image.backing = backing != 0;
        summary->images.push_back(std::move(image));
    }
    summary->images.shrink_to_fit();
    return summary;
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
        text += uuid;
        put_numbers(text, mark.inode, mark.size, mark.mtime_ns, mark.ctime_ns);
        put_text(text, entry.name);
        if (entry.summary) {
            put_summary(text, *entry.summary);
        }
        text += '\n';
    }
    return text;
}

Index parse_index(std::string_view text) {
    if (!text.starts_with(heading)) {
        return {};
    }
    text.remove_prefix(heading.size());
    Index index;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (end == std::string_view::npos) {
            return {};
        }
        Words words(text.substr(0, end));
        text.remove_prefix(end + 1);
        std::string uuid(words.word());
        IndexEntry entry;
        words.take(entry.mark.inode);
        words.take(entry.mark.size);
        words.take(entry.mark.mtime_ns);
        words.take(entry.mark.ctime_ns);
        words.take(entry.name);
        entry.summary = take_summary(words);
        if (!words.good()) {
            return {};
        }
        index.emplace(std::move(uuid), std::move(entry));
    }
    return index;
}

} // namespace vireo::qemu
