// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/metadata.hpp"

#include "libshared/error.hpp"
#include "libshared/xml/document.hpp"

#include <libxml/tree.h>

#include <memory>
#include <set>
#include <vector>

namespace vireo::qemu {

namespace {

struct FreeNode {
    void operator()(xmlNode* node) const noexcept {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
    }
};

using OwnedNode = std::unique_ptr<xmlNode, FreeNode>;

const xmlChar* bytes(const std::string& text) {
    return reinterpret_cast<const xmlChar*>(text.c_str());
}

bool is_of(const xmlNs* ns, const std::string& uri) {
    return ns != nullptr && ns->href != nullptr && xmlStrEqual(ns->href, bytes(uri)) == 1;
}

xmlNode* child_of(const xmlNode* parent, const std::string& uri) {
    for (xmlNode* child = parent->children; child != nullptr; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && is_of(child->ns, uri)) {
            return child;
        }
    }
    return nullptr;
}

/// Calls `visit` with each element of the tree; its depth is limited by xml::Limits.
template <class Visit>
void each_element(xmlNode* node, Visit& visit) {
    visit(node);
    for (xmlNode* child = node->children; child != nullptr; child = child->next) {
        if (child->type == XML_ELEMENT_NODE) {
            each_element(child, visit);
        }
    }
}

/// Takes the namespace off the elements; its declaration too, where no attribute needs it.
void strip_namespace(xmlNode* root, const std::string& uri) {
    bool used_by_attribute = false;
    auto strip = [&](xmlNode* node) {
        if (is_of(node->ns, uri)) {
            node->ns = nullptr;
        }
        for (const xmlAttr* attribute = node->properties; attribute != nullptr;
             attribute = attribute->next) {
            used_by_attribute = used_by_attribute || is_of(attribute->ns, uri);
        }
    };
    each_element(root, strip);
    for (xmlNs** ns = &root->nsDef; *ns != nullptr && !used_by_attribute; ns = &(*ns)->next) {
        if (is_of(*ns, uri)) {
            xmlNs* declaration = *ns;
            *ns = declaration->next;
            xmlFreeNs(declaration);
            break;
        }
    }
}

/// Puts every element that is in no namespace into `uri`, under the prefix `key`.
void inject_namespace(xmlNode* root, const std::string& key, const std::string& uri) {
    xmlNs* added = nullptr;
    if (xmlValidateNCName(bytes(key), 0) == 0 && key != "xmlns") {
        added = xmlNewNs(root, bytes(uri), bytes(key));
    }
    if (added == nullptr) {
        throw Error(ErrorCode::invalid_arg,
                    "key '{}' cannot be the prefix of the element's namespace '{}'",
                    key,
                    uri);
    }
    auto inject = [&](xmlNode* node) {
        if (node->ns == nullptr) {
            xmlSetNs(node, added);
        }
    };
    each_element(root, inject);
}

bool is_blank(const xmlNode* node) {
    return node != nullptr && xmlIsBlankNode(node) == 1;
}

/// Takes the element away together with the white space that put it on its line.
void remove_child(xmlNode* child) {
    if (is_blank(child->prev)) {
        const OwnedNode blank(child->prev);
    }
    const OwnedNode removed(child);
}

/// Adds a copy of `element` on a line of its own, in the layout of a domain's document.
void add_child(xmlNode* parent, xmlNode* element) {
    if (is_blank(parent->last)) {
        const OwnedNode blank(parent->last);
    }
    OwnedNode copy(xmlDocCopyNode(element, parent->doc, 1));
    OwnedNode before(xmlNewDocText(parent->doc, BAD_CAST "\n    "));
    OwnedNode after(xmlNewDocText(parent->doc, BAD_CAST "\n  "));
    if (!copy || !before || !after) {
        throw Error(ErrorCode::no_memory, "copy an element of metadata");
    }
    xmlAddChild(parent, before.release());
    xmlAddChild(parent, copy.release());
    xmlAddChild(parent, after.release());
}

bool has_content(const xmlNode* parent) {
    for (const xmlNode* child = parent->children; child != nullptr; child = child->next) {
        if (!is_blank(child)) {
            return true;
        }
    }
    return false;
}

std::string element_of(const DomainDef& def, const std::string& uri) {
    if (!def.metadata) {
        return {};
    }
    const xml::Document document = xml::Document::parse(def.metadata->text);
    xmlNode* root = document.root().raw();
    xmlNode* found = child_of(root, uri);
    if (found == nullptr) {
        return {};
    }
    const OwnedNode copy(xmlDocCopyNode(found, root->doc, 1));
    if (!copy) {
        throw Error(ErrorCode::no_memory, "copy an element of metadata");
    }
    strip_namespace(copy.get(), uri);
    return xml::Node(copy.get()).source();
}

void edit_element(DomainDef& def, const MetadataEdit& edit) {
    const std::string before = def.metadata ? def.metadata->text : "<metadata/>";
    const xml::Document document = xml::Document::parse(before);
    xmlNode* root = document.root().raw();
    while (xmlNode* former = child_of(root, edit.uri)) {
        remove_child(former);
    }
    if (!edit.text.empty()) {
        const xml::Document added = xml::Document::parse(edit.text);
        inject_namespace(added.root().raw(), edit.key, edit.uri);
        add_child(root, added.root().raw());
    }
    if (has_content(root)) {
        def.metadata = xml::Raw{document.root().source()};
    } else {
        def.metadata.reset();
    }
}

void require_uri(MetadataType type, const std::string& uri) {
    const bool element = type == MetadataType::element;
    if (element && uri.empty()) {
        throw Error(ErrorCode::invalid_arg, "uri must not be empty: it is the element's namespace");
    }
    if (!element && !uri.empty()) {
        throw Error(ErrorCode::invalid_arg,
                    "uri is '{}', but only elements (type 2) have a namespace: pass an empty one",
                    uri);
    }
}

void set_text(std::optional<std::string>& to, const std::string& text) {
    if (text.empty()) {
        to.reset();
    } else {
        to = text;
    }
}

} // namespace

MetadataType metadata_type(int number) {
    constexpr int types = 3;
    if (number < 0 || number >= types) {
        throw Error(ErrorCode::invalid_arg,
                    "unknown metadata type '{}': there are 0 (description), 1 (title) and 2 "
                    "(element)",
                    number);
    }
    return static_cast<MetadataType>(number);
}

std::string metadata_of(const DomainDef& def, MetadataType type, const std::string& uri) {
    require_uri(type, uri);
    std::string found;
    switch (type) {
    case MetadataType::description:
        found = def.description.value_or("");
        break;
    case MetadataType::title:
        found = def.title.value_or("");
        break;
    case MetadataType::element:
        found = element_of(def, uri);
        break;
    }
    if (found.empty()) {
        throw Error(ErrorCode::no_domain_metadata, "Requested metadata element is not present");
    }
    return found;
}

void keep_one_per_namespace(xml::Raw& metadata) {
    const xml::Document document = xml::Document::parse(metadata.text);
    xmlNode* root = document.root().raw();
    std::set<std::string> seen;
    std::vector<xmlNode*> surplus;
    for (xmlNode* child = root->children; child != nullptr; child = child->next) {
        if (child->type == XML_ELEMENT_NODE &&
            (child->ns == nullptr || child->ns->href == nullptr ||
             !seen.insert(reinterpret_cast<const char*>(child->ns->href)).second)) {
            surplus.push_back(child);
        }
    }
    for (xmlNode* child : surplus) {
        remove_child(child);
    }
    if (!surplus.empty()) {
        metadata.text = document.root().source();
    }
}

void edit_metadata(DomainDef& def, const MetadataEdit& edit) {
    require_uri(edit.type, edit.uri);
    switch (edit.type) {
    case MetadataType::description:
        set_text(def.description, edit.text);
        break;
    case MetadataType::title:
        if (edit.text.find('\n') != std::string::npos) {
            throw Error(ErrorCode::invalid_arg, "metadata title can't contain newlines");
        }
        set_text(def.title, edit.text);
        break;
    case MetadataType::element:
        edit_element(def, edit);
        break;
    }
}

} // namespace vireo::qemu
