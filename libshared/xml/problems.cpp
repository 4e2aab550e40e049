// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/problems.hpp"

#include "libshared/xml/document.hpp"
#include "libshared/xml/document_error.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace vireo::xml {

namespace {

/// Each as a text; the last says how many were not kept.
std::vector<std::string> texts_of(const Problems& problems) {
    std::vector<std::string> all;
    for (const Problem& problem : problems.list()) {
        all.push_back(problem.text());
    }
    if (problems.count() > problems.list().size()) {
        all.push_back(fmt::format("and {} more", problems.count() - problems.list().size()));
    }
    return all;
}

} // namespace

DocumentError::DocumentError(ErrorCode code, std::vector<std::string> each)
    : Error(code, "{}", fmt::join(each, "; ")), each_(std::move(each)) {}

std::string Problem::text() const {
    return path.empty() ? fmt::format("line {}: {}", line, what)
                        : fmt::format("line {}: {}: {}", line, path, what);
}

void Problems::add(unsigned line, std::string path, std::string what) {
    if (!full()) {
        const auto later = [](unsigned at, const Problem& problem) { return at < problem.line; };
        const auto place = std::upper_bound(list_.begin(), list_.end(), line, later);
        list_.insert(place, {line, std::move(path), std::move(what)});
    }
    ++count_;
}

void Problems::add(const Node& node, std::string what) {
    add(node.line(), full() ? std::string() : node.path(), std::move(what));
}

std::string Problems::text() const {
    return fmt::format("{}", fmt::join(texts_of(*this), "; "));
}

void Problems::raise() const {
    if (!empty()) {
        throw DocumentError(ErrorCode::xml_error, texts_of(*this));
    }
}

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string shown = "'";
    std::size_t length = text.size();
    if (length > longest) {
        length = longest;
        while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) {
            --length; // never half a character
        }
    }
    for (const char c : text.substr(0, length)) {
        shown += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    shown += length < text.size() ? "...'" : "'";
    return shown;
}

} // namespace vireo::xml
