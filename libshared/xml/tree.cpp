// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/tree.hpp"

#include "libshared/error.hpp"

#include <algorithm>
#include <vector>

namespace vireo::xml::tree {

namespace {

/// Writes an element as libxml2 does: double quotes, and no byte of white space changed.
class Source {
  public:
    explicit Source(const xmlNode* top) : top_(top) {
        for (const xmlNode* above = top->parent;
             above != nullptr && above->type == XML_ELEMENT_NODE;
             above = above->parent) {
            for (const xmlNs* ns = above->nsDef; ns != nullptr; ns = ns->next) {
                outside_.push_back(ns);
            }
        }
        if (!outside_.empty()) {
            collect(top);
        }
    }

    std::string write() {
        node(top_);
        return std::move(out_);
    }

  private:
    void use(const xmlNs* ns) {
        if (ns != nullptr && std::find(outside_.begin(), outside_.end(), ns) != outside_.end() &&
            std::find(used_.begin(), used_.end(), ns) == used_.end()) {
            used_.push_back(ns);
        }
    }

    void collect(const xmlNode* element) {
        use(element->ns);
        for (const xmlAttr* a = element->properties; a != nullptr; a = a->next) {
            use(a->ns);
        }
        for (const xmlNode* child = element->children; child != nullptr; child = child->next) {
            if (child->type == XML_ELEMENT_NODE) {
                collect(child);
            }
        }
    }

    void escaped(std::string_view text, bool attribute) {
        for (const char c : text) {
            switch (c) {
            case '&':
                out_ += "&amp;";
                break;
            case '<':
                out_ += "&lt;";
                break;
            case '>':
                out_ += "&gt;";
                break;
            case '\r':
                out_ += "&#13;";
                break;
            case '"':
                out_ += attribute ? "&quot;" : "\"";
                break;
            case '\n':
                out_ += attribute ? "&#10;" : "\n";
                break;
            case '\t':
                out_ += attribute ? "&#9;" : "\t";
                break;
            default:
                out_ += c;
            }
        }
    }

    void attribute(std::string_view name, std::string_view value) {
        out_ += ' ';
        out_ += name;
        out_ += "=\"";
        escaped(value, true);
        out_ += '"';
    }

    void declare(const xmlNs* ns) {
        attribute(ns->prefix != nullptr ? fmt::format("xmlns:{}", view(ns->prefix)) : "xmlns",
                  view(ns->href));
    }

    void element(const xmlNode* element) {
        const std::string name = full_name(element->ns, element->name);
        out_ += '<';
        out_ += name;
        for (const xmlNs* ns = element->nsDef; ns != nullptr; ns = ns->next) {
            declare(ns);
        }
        if (element == top_) {
            std::for_each(used_.begin(), used_.end(), [this](const xmlNs* ns) { declare(ns); });
        }
        for (xmlAttr* a = element->properties; a != nullptr; a = a->next) {
            attribute(full_name(a->ns, a->name), value(a));
        }
        if (element->children == nullptr) {
            out_ += "/>";
            return;
        }
        out_ += '>';
        for (const xmlNode* child = element->children; child != nullptr; child = child->next) {
            node(child);
        }
        out_ += "</";
        out_ += name;
        out_ += '>';
    }

    void node(const xmlNode* node) {
        switch (node->type) {
        case XML_ELEMENT_NODE:
            element(node);
            break;
        case XML_TEXT_NODE:
            escaped(view(node->content), false);
            break;
        case XML_CDATA_SECTION_NODE:
            out_ += fmt::format("<![CDATA[{}]]>", view(node->content));
            break;
        case XML_COMMENT_NODE:
            out_ += fmt::format("<!--{}-->", view(node->content));
            break;
        case XML_PI_NODE:
            out_ += fmt::format("<?{} {}?>", view(node->name), view(node->content));
            break;
        default:
            break; // nothing else exists without a document type
        }
    }

    const xmlNode* top_;
    std::vector<const xmlNs*> outside_; // declared above the top
    std::vector<const xmlNs*> used_;    // those of them that are used within
    std::string out_;
};

} // namespace

unsigned line(const xmlNode* node) noexcept {
    return static_cast<unsigned>(std::max(xmlGetLineNo(node), 0L));
}

std::string path(const xmlNode* node) {
    std::vector<const xmlNode*> steps;
    for (; node != nullptr && node->type == XML_ELEMENT_NODE; node = node->parent) {
        steps.push_back(node);
    }
    std::string path;
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        const auto same = [&](const xmlNode* other) {
            return other->type == XML_ELEMENT_NODE && view(other->name) == view((*step)->name);
        };
        std::size_t before = 0;
        bool several = false;
        for (const xmlNode* at = (*step)->prev; at != nullptr; at = at->prev) {
            before += same(at) ? 1 : 0;
        }
        for (const xmlNode* at = (*step)->next; at != nullptr && !several; at = at->next) {
            several = same(at);
        }
        path += path.empty() ? "" : "/";
        path += full_name((*step)->ns, (*step)->name);
        if (several || before > 0) {
            path += fmt::format("[{}]", before + 1);
        }
    }
    return path;
}

std::string full_name(const xmlNs* ns, const xmlChar* name) {
    return ns != nullptr && ns->prefix != nullptr
               ? fmt::format("{}:{}", view(ns->prefix), view(name))
               : std::string(view(name));
}

std::string_view value(xmlAttr* attribute) {
    xmlNode* text = attribute->children;
    if (text == nullptr) {
        return {};
    }
    if (text->next != nullptr) { // put together once, so that a view can be given
        xmlChar* whole = xmlNodeListGetString(attribute->doc, text, 1);
        xmlNode* joined = xmlNewDocText(attribute->doc, whole);
        xmlFree(whole);
        if (joined == nullptr) {
            throw Error(ErrorCode::no_memory, "join an attribute's value");
        }
        xmlFreeNodeList(text);
        joined->parent = reinterpret_cast<xmlNode*>(attribute);
        attribute->children = attribute->last = joined;
        text = joined;
    }
    return view(text->content);
}

std::string text(const xmlNode* node) {
    std::string all;
    for (const xmlNode* child = node->children; child != nullptr; child = child->next) {
        if (is_text(child)) {
            all += view(child->content);
        }
    }
    return all;
}

std::string_view text(const xmlNode* node, std::string& pieces) {
    const xmlNode* only = node->children;
    if (only == nullptr || (only->next == nullptr && is_text(only))) {
        return only == nullptr ? std::string_view() : view(only->content);
    }
    pieces = text(node);
    return pieces;
}

std::string source(const xmlNode* node) {
    return Source(node).write();
}

} // namespace vireo::xml::tree
