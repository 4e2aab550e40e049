// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/problems.hpp"
#include "libshared/xml/tree.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vireo::xml {

struct Extra;

/// What no field of a description took. The reader marks each node and attribute that it has read.
class Leftovers {
  public:
    Leftovers(Problems& problems, const void* mark) : to_(problems.unknowns()), mark_(mark) {}

    /// Puts what is unmarked in `node` into `extra` if there is one, else reports it, as it does
    /// text where the element's own text belongs to no field.
    void check(const xmlNode* node, bool has_content, Extra* extra);

  private:
    /// Namespace and name of each kind of child that has been read: no more than there are fields.
    using Names = std::vector<std::pair<std::string_view, std::string_view>>;

    Names names_taken(const xmlNode* node) const;
    void element(xmlNode* at, const xmlNode* within, const Names& taken, Extra* extra);
    void stray_text(const xmlNode* at, const xmlNode* within);
    void unknown(const xmlNode* at, const xmlNode* within, const std::string& what);

    Problems* to_; // null: nobody wants to know
    const void* mark_;
};

} // namespace vireo::xml
