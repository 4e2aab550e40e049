// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/normalized_ranges.hpp"

#include "qemu-driver/model/problem.hpp"

#include <charconv>

namespace vireo::qemu {

namespace {

constexpr uint32_t highest = 16383;

/// Takes a number off the front; nothing if there is none or it is too big.
bool take_number(std::string_view& text, uint32_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || out > highest) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take_char(std::string_view& text, char c) {
    if (text.empty() || text.front() != c) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

bool read(std::string_view text, std::set<uint32_t>& out) {
    do {
        while (take_char(text, ' ')) {
        }
        const bool without = take_char(text, '^');
        uint32_t first = 0;
        if (!take_number(text, first)) {
            return false;
        }
        uint32_t last = first;
        if (take_char(text, '-') && (without || !take_number(text, last) || last < first)) {
            return false;
        }
        for (uint32_t id = first; id <= last; ++id) {
            if (without) {
                out.erase(id);
            } else {
                out.insert(id);
            }
        }
        while (take_char(text, ' ')) {
        }
    } while (take_char(text, ','));
    return text.empty() && !out.empty();
}

} // namespace

std::set<uint32_t> ids_of(std::string_view text, xml::Where where, std::string_view element) {
    std::set<uint32_t> ids;
    if (!read(text, ids)) {
        throw Error(ErrorCode::xml_error,
                    "{}",
                    located(where,
                            element,
                            fmt::format("'{}' is not a list of numbers and ranges up to {}, like "
                                        "'0-3,^2,8'",
                                        text,
                                        highest)));
    }
    return ids;
}

std::string text_of(const std::set<uint32_t>& ids) {
    std::string out;
    for (auto first = ids.begin(); first != ids.end();) {
        auto last = first;
        auto next = std::next(first);
        while (next != ids.end() && *next == *last + 1) {
            last = next++;
        }
        out += out.empty() ? "" : ",";
        out += *first == *last ? fmt::format("{}", *first) : fmt::format("{}-{}", *first, *last);
        first = next;
    }
    return out;
}

std::string normalized_ranges(std::string_view text, xml::Where where, std::string_view element) {
    return text_of(ids_of(text, where, element));
}

} // namespace vireo::qemu
