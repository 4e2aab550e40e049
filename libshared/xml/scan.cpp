// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/scan.hpp"

#include "libshared/error.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace vireo::xml {

namespace {

/// The length of the UTF-8 sequence at `at`, 0 where there is none.
std::size_t sequence(const unsigned char* at, std::size_t left) noexcept {
    const auto tail = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return i < left && at[i] >= low && at[i] <= high;
    };
    const unsigned lead = at[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return tail(1) ? 2 : 0;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return tail(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF) && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const bool second = tail(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
        return second && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class Scanner {
  public:
    Scanner(std::string_view text, const Limits& limits) : text_(text), limits_(limits) {}

    void run() {
        while (at_ < text_.size()) {
            const std::size_t tag = text_.find('<', at_);
            if (tag == std::string_view::npos) {
                return;
            }
            at_ = tag + 1;
            const std::string_view rest = text_.substr(at_);
            bool whole = false;
            if (rest.starts_with("!--")) {
                at_ += 3;
                whole = count_node() && skip_past("-->");
            } else if (rest.starts_with("![CDATA[")) {
                whole = count_node() && skip_past("]]>");
            } else if (rest.starts_with("!")) {
                fail("document types and entities are not accepted");
            } else if (rest.starts_with("?")) {
                whole = count_node() && skip_past("?>");
            } else if (rest.starts_with("/")) {
                whole = skip_past(">");
                leave();
            } else {
                whole = start_tag();
            }
            if (!whole) {
                return;
            }
        }
    }

  private:
    template <class... A>
    [[noreturn]] void fail(fmt::format_string<A...> format, A&&... args) const {
        const auto line = 1 + std::count(text_.begin(), text_.begin() + std::ptrdiff_t(at_), '\n');
        throw Error(ErrorCode::xml_error,
                    "line {}: {}",
                    line,
                    fmt::format(format, std::forward<A>(args)...));
    }

    bool skip_past(std::string_view end) {
        const std::size_t found = text_.find(end, at_);
        at_ = found == std::string_view::npos ? text_.size() : found + end.size();
        return found != std::string_view::npos;
    }

    bool count_node() {
        if (++nodes_ > limits_.nodes) {
            fail("the document has more than {} elements and attributes", limits_.nodes);
        }
        return true;
    }

    void name(std::string_view what) {
        const std::size_t begin = at_;
        while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != '/' &&
               text_[at_] != '>' && text_[at_] != '=' && text_[at_] != '<') {
            ++at_;
        }
        if (at_ - begin > limits_.name) {
            at_ = begin;
            fail("the name of an {} is longer than {} bytes", what, limits_.name);
        }
    }

    /// Gives whether the tag has its end; where it has not, libxml2 stops there too.
    bool start_tag() {
        count_node();
        name("element");
        std::size_t attributes = 0;
        std::size_t declared = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (is_space(c)) {
                ++at_;
            } else if (c == '>') {
                ++at_;
                enter(declared);
                return true;
            } else if (c == '/') {
                ++at_;
                return at_ < text_.size() && text_[at_] == '>';
            } else {
                const std::size_t begin = at_;
                name("attribute");
                if (++attributes > limits_.attributes) {
                    fail("an element has more than {} attributes", limits_.attributes);
                }
                count_node();
                if (text_.substr(begin).starts_with("xmlns")) {
                    ++declared;
                    if (namespaces_ + declared > limits_.namespaces) {
                        fail("more than {} namespaces are in force", limits_.namespaces);
                    }
                }
                if (!value()) {
                    return false;
                }
            }
        }
        return false;
    }

    bool value() {
        const auto skip_space = [&] {
            while (at_ < text_.size() && is_space(text_[at_])) {
                ++at_;
            }
        };
        skip_space();
        if (at_ >= text_.size() || text_[at_] != '=') {
            return false;
        }
        ++at_;
        skip_space();
        if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) {
            return false;
        }
        const std::size_t end = text_.find(text_[at_], at_ + 1);
        if ((end == std::string_view::npos ? text_.size() : end) - at_ - 1 > limits_.value) {
            fail("the value of an attribute is longer than {} bytes", limits_.value);
        }
        at_ = end == std::string_view::npos ? text_.size() : end + 1;
        return end != std::string_view::npos;
    }

    void enter(std::size_t declared) {
        open_.push_back(declared);
        namespaces_ += declared;
        if (open_.size() > limits_.depth) {
            fail("elements are nested more than {} deep", limits_.depth);
        }
    }

    void leave() {
        if (!open_.empty()) {
            namespaces_ -= open_.back();
            open_.pop_back();
        }
    }

    std::string_view text_;
    const Limits& limits_;
    std::size_t at_ = 0;
    std::size_t nodes_ = 0;
    std::vector<std::size_t> open_; // namespaces declared by each open element
    std::size_t namespaces_ = 0;    // declared by all of them
};

} // namespace

std::size_t valid_utf8_prefix(std::string_view text) noexcept {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t at = 0;
    while (at < text.size()) {
        std::uint64_t eight = 0;
        if (text.size() - at >= sizeof eight) {
            std::memcpy(&eight, bytes + at, sizeof eight);
            if ((eight & 0x8080808080808080U) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        const std::size_t length = sequence(bytes + at, text.size() - at);
        if (length == 0) {
            return at;
        }
        at += length;
    }
    return at;
}

void scan(std::string_view text, const Limits& limits) {
    if (text.size() > limits.bytes) {
        throw Error(ErrorCode::xml_error,
                    "the document has {} bytes; at most {} are accepted",
                    text.size(),
                    limits.bytes);
    }
    const std::size_t valid = valid_utf8_prefix(text);
    if (valid != text.size()) {
        const auto line = 1 + std::count(text.begin(), text.begin() + std::ptrdiff_t(valid), '\n');
        throw Error(ErrorCode::xml_error,
                    "line {}: byte {:#04x} is not UTF-8",
                    line,
                    static_cast<unsigned char>(text[valid]));
    }
    Scanner(text, limits).run();
}

} // namespace vireo::xml
