// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// What a description is made of: tables of names, offsets and functions. The templates of
/// binding.hpp fill them, once per described type; reader and writer are ordinary code over them.
namespace vireo::xml {

class Node;
class Problems;
class Type;
class Writer;

using TypeRef = const Type& (*)();

/// A namespace that elements may live in; declared on the root where it is used.
struct Namespace {
    std::string_view uri;
    std::string_view prefix;
};

/// How a value becomes text and back. `parse` gives what is wrong ("is not a number"), or nothing.
struct ValueOps {
    std::string (*parse)(std::string_view text, void* value);
    void (*format)(const void* value, std::string& out);
    /// Instead of `parse` for values with a `unit` attribute beside them; an absent unit is empty.
    std::string (*parse_scaled)(std::string_view text, std::string_view unit, void* value);
    std::string_view unit; // what is written as that attribute
    bool may_be_wordless;  // an empty text means that there is nothing to write
};

/// How a member holds its values: itself, std::optional, Box, or std::vector.
struct HolderOps {
    void* (*make)(void* member); // a place for one more value
    std::size_t (*count)(const void* member);
    const void* (*at)(const void* member, std::size_t index);
    bool required;
    bool repeated;
};

/// How a std::variant is used. `types[i]` is null for std::monostate.
struct VariantOps {
    std::size_t size;
    const TypeRef* types;
    void* (*emplace)(void* variant, std::size_t index);
    std::size_t (*index)(const void* variant);
    const void* (*get)(const void* variant);
};

enum class Kind : std::uint8_t {
    attribute, // name='value'
    content,   // the element's own text
    text,      // <name>value</name>
    flag,      // <name/>
    child,     // <name>struct</name>
    group,     // <name>fields of the same struct</name>
    when,      // fields that are there where a predicate holds
    embed,     // a struct's fields (all, or those listed) in this same element
    choice,    // elements of several kinds, in document order
    one_of,    // one struct of several, decided by what was read before
    raw,       // an element kept to the letter
    custom     // two functions
};

/// Moved and destroyed out of line: each description does that for each of its fields.
struct Field {
    Field(Kind of, std::string_view called);
    Field(Field&& other) noexcept;
    Field& operator=(Field&& other) noexcept;
    ~Field();

    Kind kind;
    bool required = false;
    bool omit_empty = false;
    unsigned view = 0;
    std::string_view name;
    std::string_view in_attribute; // text: the value is not the element's text, but this attribute
    std::size_t offset = 0;
    const HolderOps* holder = nullptr;
    const ValueOps* value = nullptr;
    TypeRef type = nullptr;
    const VariantOps* variant = nullptr;
    const Namespace* ns = nullptr;
    bool (*holds)(const void* object) = nullptr;         // when
    bool (*write_if)(const void* object) = nullptr;      // any field
    std::size_t (*select)(const void* object) = nullptr; // one_of
    std::shared_ptr<const void> absent;                  // the value that absence stands for
    void (*assign)(void* member, const void* value) = nullptr;
    bool (*equal)(const void* member, const void* value) = nullptr;
    void (*custom_parse)(void* object, const Node&, Problems&) = nullptr;
    void (*custom_format)(const void* object, Writer&) = nullptr;
    std::vector<Field> fields; // group, when, embed of some

    void* member(void* object) const noexcept { return static_cast<char*>(object) + offset; }

    const void* member(const void* object) const noexcept {
        return static_cast<const char*>(object) + offset;
    }

    /// embed: the fields that stand in this element.
    const std::vector<Field>& embedded() const;
};

/// The description of one struct.
class Type {
  public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    std::string_view name;
    std::size_t where = none; // offset of the member of type Where
    std::size_t extra = none; // offset of the member of type Extra
    std::vector<Field> fields;

    explicit Type(std::string_view element_name);
};

void append(std::vector<Field>& fields, Field&& field);

} // namespace vireo::xml
