// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <string>

/// What applications note on a domain: its description, its title, and elements of their own
/// namespaces in `<metadata>`.
namespace vireo::qemu {

/// virDomainMetadataType
enum class MetadataType : int { description = 0, title = 1, element = 2 };

/// Throws invalid_arg naming an unknown number.
MetadataType metadata_type(int number);

/// One piece of metadata. An element's is that of `uri`, written without that namespace, as its
/// author gave it. Throws no_domain_metadata where there is none, invalid_arg where `uri` does not
/// go with the type.
std::string metadata_of(const DomainDef& def, MetadataType type, const std::string& uri);

struct MetadataEdit {
    MetadataType type{};
    /// Empty: the piece is removed. A title is one line; an element is a document of its own.
    std::string text;
    /// Of an element: the prefix that its namespace gets, and the namespace.
    std::string key;
    std::string uri;
};

/// Throws invalid_arg where the edit contradicts itself, xml_error where an element is not well
/// formed; `def` is as before then.
void edit_metadata(DomainDef& def, const MetadataEdit& edit);

/// Applications find their element by its namespace: the first of each stays, elements without a
/// namespace and later ones of the same go.
void keep_one_per_namespace(xml::Raw& metadata);

} // namespace vireo::qemu
