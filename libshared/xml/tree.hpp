// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <libxml/tree.h>

#include <string>
#include <string_view>

/// Questions to libxml2's tree; included by this folder's sources only.
namespace vireo::xml::tree {

inline std::string_view view(const xmlChar* text) noexcept {
    return text != nullptr ? std::string_view(reinterpret_cast<const char*>(text))
                           : std::string_view();
}

/// `node` or the first element after it.
inline xmlNode* element_from(xmlNode* node) noexcept {
    while (node != nullptr && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

inline bool is_text(const xmlNode* node) noexcept {
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE;
}

unsigned line(const xmlNode* node) noexcept;
std::string path(const xmlNode* node);
/// Name with prefix, as written in the document.
std::string full_name(const xmlNs* ns, const xmlChar* name);
/// The attribute's value; valid as long as the tree.
std::string_view value(xmlAttr* attribute);
std::string text(const xmlNode* node);
/// The same without a copy where the text is in one piece; otherwise it is put into `pieces`.
std::string_view text(const xmlNode* node, std::string& pieces);
std::string source(const xmlNode* node);

} // namespace vireo::xml::tree
