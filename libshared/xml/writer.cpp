// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/writer.hpp"

#include "libshared/xml/scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vireo::xml {

namespace {

enum Class : unsigned char { plain, escape, drop, beyond_ascii };

constexpr std::array<Class, 256> make_classes() {
    std::array<Class, 256> classes{};
    for (std::size_t c = 0; c < 256; ++c) {
        classes[c] = c < 0x20 ? drop : c < 0x80 ? plain : beyond_ascii;
    }
    for (const unsigned char c : {'&', '<', '>', '"', '\'', '\r', '\n', '\t'}) {
        classes[c] = escape;
    }
    return classes;
}

constexpr auto classes = make_classes();

std::string_view entity(char c, bool attribute) noexcept {
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\r':
        return "&#13;";
    // libvirt writes these as they are, and they come back from an attribute as spaces.
    case '\n':
        return attribute ? "&#10;" : "\n";
    default:
        return attribute ? "&#9;" : "\t";
    }
}

/// U+FFFE and U+FFFF are UTF-8, but not XML.
bool is_xml(std::string_view character) noexcept {
    return !character.starts_with("\xEF\xBF\xBE") && !character.starts_with("\xEF\xBF\xBF");
}

void append_escaped(std::string_view text, bool attribute, std::string& out) {
    std::size_t begin = 0;
    std::size_t checked = 0; // up to here what is beyond ASCII is sound
    for (std::size_t i = 0; i < text.size(); ++i) {
        const Class kind = classes[static_cast<unsigned char>(text[i])];
        if (kind == plain || i < checked) {
            continue;
        }
        if (kind == beyond_ascii) {
            const auto lead = static_cast<unsigned char>(text[i]);
            const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
            const std::string_view character = text.substr(i, length);
            if (valid_utf8_prefix(character) == length && is_xml(character)) {
                checked = i + length;
                continue;
            }
        }
        out.append(text, begin, i - begin);
        begin = i + 1;
        if (kind == escape) {
            out += entity(text[i], attribute);
        } else if (kind == beyond_ascii) {
            out += "\xEF\xBF\xBD";
        }
    }
    out.append(text, begin);
}

} // namespace

void Writer::tag_name(const Open& element) {
    if (element.ns != nullptr) {
        out_ += element.ns->prefix;
        out_ += ':';
    }
    out_ += element.name;
}

void Writer::begin_child() {
    if (in_tag_) {
        if (open_.size() == 1) {
            root_attributes_end_ = out_.size();
        }
        out_ += ">\n";
        in_tag_ = false;
    }
    out_.append(2 * (indent_ + open_.size()), ' ');
}

void Writer::open(std::string_view name, const Namespace* ns) {
    Open element{name, ns, out_.size(), 0, in_tag_, false, used_.size()};
    if (ns == nullptr && !open_.empty()) {
        element.ns = open_.back().ns;
    }
    begin_child();
    out_ += '<';
    tag_name(element);
    element.after_name = out_.size();
    if (element.ns != nullptr && std::find(used_.begin(), used_.end(), element.ns) == used_.end()) {
        used_.push_back(element.ns);
    }
    open_.push_back(element);
    in_tag_ = true;
}

void Writer::attribute(std::string_view name, std::string_view value) {
    out_ += ' ';
    out_ += name;
    out_ += "='";
    append_escaped(value, true, out_);
    out_ += '\'';
}

void Writer::text(std::string_view value) {
    if (value.empty()) {
        return;
    }
    if (in_tag_) {
        if (open_.size() == 1) {
            root_attributes_end_ = out_.size();
        }
        out_ += '>';
        in_tag_ = false;
    }
    open_.back().has_text = true;
    append_escaped(value, false, out_);
}

void Writer::close() {
    const Open element = open_.back();
    open_.pop_back();
    if (in_tag_) {
        if (open_.empty()) {
            root_attributes_end_ = out_.size();
        }
        out_ += "/>\n";
        in_tag_ = false;
        return;
    }
    if (!element.has_text) {
        out_.append(2 * (indent_ + open_.size()), ' ');
    }
    out_ += "</";
    tag_name(element);
    out_ += ">\n";
}

void Writer::element(std::string_view name, std::string_view value) {
    open(name);
    text(value);
    close();
}

void Writer::raw(std::string_view element) {
    begin_child();
    out_ += element;
    out_ += '\n';
}

bool Writer::empty_element() const noexcept {
    return in_tag_ && out_.size() == open_.back().after_name;
}

void Writer::discard() {
    const Open element = open_.back();
    open_.pop_back();
    out_.resize(element.before);
    used_.resize(element.namespaces);
    in_tag_ = element.parent_in_tag;
}

std::string Writer::take() {
    std::string declarations;
    for (const Namespace* ns : used_) {
        declarations += fmt::format(" xmlns:{}='", ns->prefix);
        append_escaped(ns->uri, true, declarations);
        declarations += '\'';
    }
    out_.insert(root_attributes_end_, declarations);
    return std::move(out_);
}

} // namespace vireo::xml
