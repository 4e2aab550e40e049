// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/document.hpp"

#include "libshared/error.hpp"
#include "libshared/xml/problems.hpp"
#include "libshared/xml/scan.hpp"
#include "libshared/xml/tree.hpp"

#include <libxml/parser.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace vireo::xml {

namespace {

struct FreeContext {
    void operator()(xmlParserCtxt* context) const noexcept { xmlFreeParserCtxt(context); }
};

/// libxml2's own complaints. It goes on after a fatal one, to find more; nothing good comes of that
/// in a hostile document, so it is stopped there.
void on_error(void* user_data, xmlErrorPtr error) noexcept {
    auto* context = static_cast<xmlParserCtxt*>(user_data);
    if (context == nullptr || error == nullptr || error->level < XML_ERR_ERROR) {
        return;
    }
    auto& problems = *static_cast<Problems*>(context->_private);
    std::string_view message = error->message != nullptr ? error->message : "not well formed";
    while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) {
        message.remove_suffix(1);
    }
    problems.add(static_cast<unsigned>(std::max(error->line, 0)), {}, std::string(message));
    if (error->level == XML_ERR_FATAL || problems.full()) {
        xmlStopParser(context);
    }
}

} // namespace

void Document::Free::operator()(_xmlDoc* doc) const noexcept {
    xmlFreeDoc(doc);
}

Document Document::parse(std::string_view text, const Limits& limits) {
    scan(text, limits);
    static std::once_flag once;
    std::call_once(once, xmlInitParser);
    const std::unique_ptr<xmlParserCtxt, FreeContext> context(xmlNewParserCtxt());
    if (!context) {
        throw Error(ErrorCode::no_memory, "allocate an XML parser");
    }
    Problems problems;
    context->_private = &problems;
    context->sax->serror = on_error;
    // The scan has shown that the bytes are UTF-8, whatever the document says of itself.
    constexpr int options =
        XML_PARSE_NONET | XML_PARSE_BIG_LINES | XML_PARSE_IGNORE_ENC | XML_PARSE_COMPACT;
    Document document(xmlCtxtReadMemory(
        context.get(), text.data(), static_cast<int>(text.size()), nullptr, nullptr, options));
    problems.raise();
    if (!document.doc_ || xmlDocGetRootElement(document.doc_.get()) == nullptr) {
        throw Error(ErrorCode::xml_error, "line 1: the document is not XML");
    }
    return document;
}

Node Document::root() const noexcept {
    return Node(xmlDocGetRootElement(doc_.get()));
}

std::string_view Node::name() const noexcept {
    return tree::view(node_->name);
}

std::string_view Node::namespace_uri() const noexcept {
    return node_->ns != nullptr ? tree::view(node_->ns->href) : std::string_view();
}

unsigned Node::line() const noexcept {
    return tree::line(node_);
}

std::string Node::path() const {
    return tree::path(node_);
}

std::optional<std::string_view> Node::attribute(std::string_view name) const {
    for (xmlAttr* attribute = node_->properties; attribute != nullptr;
         attribute = attribute->next) {
        if (attribute->ns == nullptr && tree::view(attribute->name) == name) {
            return tree::value(attribute);
        }
    }
    return std::nullopt;
}

std::string Node::text() const {
    return tree::text(node_);
}

std::optional<Node> Node::first() const noexcept {
    xmlNode* child = tree::element_from(node_->children);
    return child != nullptr ? std::optional(Node(child)) : std::nullopt;
}

std::optional<Node> Node::next() const noexcept {
    xmlNode* sibling = tree::element_from(node_->next);
    return sibling != nullptr ? std::optional(Node(sibling)) : std::nullopt;
}

std::optional<Node> Node::child(std::string_view name) const noexcept {
    for (std::optional<Node> at = first(); at; at = at->next()) {
        if (at->node_->ns == nullptr && at->name() == name) {
            return at;
        }
    }
    return std::nullopt;
}

std::string Node::source() const {
    return tree::source(node_);
}

} // namespace vireo::xml
