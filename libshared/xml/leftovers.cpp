// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/leftovers.hpp"

#include "libshared/xml/parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace vireo::xml {

namespace {

std::pair<std::string_view, std::string_view> qualified(const xmlNode* node) noexcept {
    return {node->ns != nullptr ? tree::view(node->ns->href) : std::string_view(),
            tree::view(node->name)};
}

} // namespace

void Leftovers::unknown(const xmlNode* at, const xmlNode* within, const std::string& what) {
    if (to_ != nullptr) {
        to_->add(tree::line(at), to_->full() ? std::string() : tree::path(within), what);
    }
}

void Leftovers::check(const xmlNode* node, bool has_content, Extra* extra) {
    for (xmlAttr* at = node->properties; at != nullptr; at = at->next) {
        if (at->_private == mark_) {
            continue;
        }
        if (extra != nullptr && at->ns == nullptr) {
            extra->attributes.push_back(
                {std::string(tree::view(at->name)), std::string(tree::value(at))});
            continue;
        }
        unknown(node,
                node,
                fmt::format("attribute '{}' is not known", tree::full_name(at->ns, at->name)));
    }
    std::optional<Names> taken;
    for (xmlNode* at = node->children; at != nullptr; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && at->_private != mark_) {
            if (!taken) {
                taken = names_taken(node);
            }
            element(at, node, *taken, extra);
        } else if (!has_content && tree::is_text(at)) {
            stray_text(at, node);
        }
    }
}

Leftovers::Names Leftovers::names_taken(const xmlNode* node) const {
    Names names;
    for (const xmlNode* at = node->children; at != nullptr; at = at->next) {
        if (at->type == XML_ELEMENT_NODE && at->_private == mark_) {
            const auto name = qualified(at);
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    return names;
}

void Leftovers::element(xmlNode* at, const xmlNode* within, const Names& taken, Extra* extra) {
    const bool again = std::find(taken.begin(), taken.end(), qualified(at)) != taken.end();
    // Were a second one kept, it could become the first when it is read again.
    if (extra != nullptr && !again) {
        extra->elements.push_back({tree::source(at)});
        return;
    }
    unknown(at,
            within,
            fmt::format("element '{}' is {}",
                        tree::full_name(at->ns, at->name),
                        again ? "given more than once" : "not known"));
}

void Leftovers::stray_text(const xmlNode* at, const xmlNode* within) {
    constexpr std::string_view spaces = " \t\r\n";
    std::string_view text = tree::view(at->content);
    const std::size_t begin = text.find_first_not_of(spaces);
    if (begin == text.npos || to_ == nullptr) {
        return;
    }
    text.remove_prefix(begin);
    // libxml2 gives the line on which a text ends.
    const auto after = std::count(text.begin(), text.end(), '\n');
    text = text.substr(0, text.find_last_not_of(spaces) + 1);
    to_->add(tree::line(at) - static_cast<unsigned>(after),
             to_->full() ? std::string() : tree::path(within),
             fmt::format("text {} is not expected", quoted(text)));
}

} // namespace vireo::xml
