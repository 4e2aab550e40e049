// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct _xmlNode;
struct _xmlDoc;

namespace vireo::xml {

/// What a document may cost; a document beyond it is refused before any tree is built.
struct Limits {
    std::size_t bytes = 16 << 20;
    std::size_t nodes = 200'000;  // elements, attributes, comments, processing instructions
    std::size_t depth = 256;      // elements within elements
    std::size_t name = 256;       // bytes of an element's or attribute's name
    std::size_t value = 1 << 20;  // bytes of one attribute's value
    std::size_t attributes = 128; // of one element: libxml2 compares each with each
    std::size_t namespaces = 64;  // declarations in force at one place
};

/// An element of a Document, valid as long as that lives.
class Node {
  public:
    explicit Node(_xmlNode* node) noexcept : node_(node) {}

    std::string_view name() const noexcept;
    /// The URI of the element's namespace, empty without one.
    std::string_view namespace_uri() const noexcept;
    unsigned line() const noexcept;
    /// `domain/devices/disk[2]`: a number where there are several of that name.
    std::string path() const;
    std::optional<std::string_view> attribute(std::string_view name) const;
    /// All text directly in the element, CDATA included.
    std::string text() const;
    /// The first child element, and the next sibling element.
    std::optional<Node> first() const noexcept;
    std::optional<Node> next() const noexcept;
    /// The first child element of that name without a namespace.
    std::optional<Node> child(std::string_view name) const noexcept;
    /// The element to the letter; namespaces that it uses but does not declare are declared on it.
    std::string source() const;

    _xmlNode* raw() const noexcept { return node_; }

  private:
    _xmlNode* node_;
};

/// A parsed document. Entities, document types, the network and the file system are out of reach;
/// what libxml2 finds wrong becomes an Error with the line.
class Document {
  public:
    /// Throws xml_error: `line 3: ...`.
    static Document parse(std::string_view text, const Limits& limits = {});

    Node root() const noexcept;

  private:
    struct Free {
        void operator()(_xmlDoc* doc) const noexcept;
    };

    explicit Document(_xmlDoc* doc) noexcept : doc_(doc) {}

    std::unique_ptr<_xmlDoc, Free> doc_;
};

} // namespace vireo::xml
