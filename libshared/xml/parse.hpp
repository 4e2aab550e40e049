// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/document.hpp"
#include "libshared/xml/problems.hpp"

#include <string>
#include <string_view>

/// Reads and writes described structs; light, for whoever has a struct with a describe().
namespace vireo::xml {

class Type;
class Writer;

struct ParseOptions {
    Unknown unknown = Unknown::refuse;
    Problems* unknowns = nullptr;
    Limits limits = {};
};

struct FormatOptions {
    unsigned view = 0;      // what Field::shown_in() asks for
    std::size_t indent = 0; // levels of two spaces before the first element
};

namespace detail {

void read(const Type& type, void* object, const Node& node, Problems& problems);
void read(const Type& type, void* object, const Node& node, const ParseOptions& options);
void parse(const Type& type, void* object, std::string_view text, const ParseOptions& options);
void write(const Type& type, const void* object, Writer& writer, std::string_view name);
std::string format(const Type& type, const void* object, const FormatOptions& options);

} // namespace detail

/// Reads a T from a document. Throws one xml_error that names all that is wrong (the first 20):
/// `line 4: domain/devices/disk: attribute 'type': 'fil' is not one of file, block, network`.
template <class T>
T parse(std::string_view text, const ParseOptions& options = {}) {
    T object{};
    detail::parse(describe(static_cast<const T*>(nullptr)), &object, text, options);
    return object;
}

/// Reads a T from an element of a document that is parsed already; the same errors.
template <class T>
T read(const Node& node, const ParseOptions& options = {}) {
    T object{};
    detail::read(describe(static_cast<const T*>(nullptr)), &object, node, options);
    return object;
}

/// The same for a custom field: the element may have any name, and what is wrong is only noted.
template <class T>
void read(T& object, const Node& node, Problems& problems) {
    detail::read(describe(static_cast<const T*>(nullptr)), &object, node, problems);
}

/// Writes `object` into a document that is being written, as an element of its type's name or of
/// another that outlives the call; for custom fields.
template <class T>
void write(const T& object, Writer& writer, std::string_view name = {}) {
    detail::write(describe(static_cast<const T*>(nullptr)), &object, writer, name);
}

/// Writes `object` as a document without an XML declaration, ending in a newline.
template <class T>
std::string format(const T& object, const FormatOptions& options = {}) {
    return detail::format(describe(static_cast<const T*>(nullptr)), &object, options);
}

} // namespace vireo::xml
