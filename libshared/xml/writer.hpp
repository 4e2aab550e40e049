// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/field.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vireo::xml {

/// Builds a document in libvirt's layout: two spaces a level, single quotes, <empty/>.
/// Control characters that XML cannot hold are dropped, bytes that are not UTF-8 become U+FFFD.
class Writer {
  public:
    /// `view`: what a Field's shown_in() asks for. `indent`: the level to begin at.
    explicit Writer(unsigned view = 0, std::size_t indent = 0) : view_(view), indent_(indent) {}

    /// `name` must live until the element is closed. Without `ns` the element is in its parent's.
    void open(std::string_view name, const Namespace* ns = nullptr);
    /// Only between open() and the first content.
    void attribute(std::string_view name, std::string_view value);
    /// Text of the open element, which then has no child elements.
    void text(std::string_view value);
    void close();

    /// <name>value</name>
    void element(std::string_view name, std::string_view value);
    /// An element that is text already, on lines of its own.
    void raw(std::string_view element);

    unsigned view() const noexcept { return view_; }

    /// Whether nothing has been put into the open element.
    bool empty_element() const noexcept;
    /// Takes back open() and what came after it; the element must be the open one, and empty.
    void discard();

    /// The document; the namespaces that were used are declared on its root.
    std::string take();

  private:
    struct Open {
        std::string_view name;
        const Namespace* ns;
        std::size_t before;     // length of the text before the element
        std::size_t after_name; // and after `<name`
        bool parent_in_tag;
        bool has_text;
        std::size_t namespaces; // used before the element
    };

    void begin_child();
    void tag_name(const Open& element);

    std::string out_;
    std::vector<Open> open_;
    std::vector<const Namespace*> used_;
    unsigned view_;
    std::size_t indent_;
    std::size_t root_attributes_end_ = 0;
    bool in_tag_ = false;
};

} // namespace vireo::xml
