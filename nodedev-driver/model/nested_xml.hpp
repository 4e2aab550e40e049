// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/binding.hpp"
#include "libshared/xml/parse.hpp"
#include "nodedev-driver/model/nested.hpp"

#include <fmt/format.h>

#include <cstdint>

template <vireo::nodedev::WordText Text>
struct vireo::xml::Value<vireo::nodedev::Word<Text>> {
    using Word = vireo::nodedev::Word<Text>;

    std::string parse(std::string_view text, Word&) const {
        return text == Word::word ? std::string() : fmt::format("is not {}", Word::word);
    }

    void format(const Word&, std::string& out) const { out += Word::word; }
};

namespace vireo::nodedev {

namespace detail {

template <class M>
struct NestedOf;

template <class C, class T>
struct NestedOf<std::optional<T> C::*> {
    using Class = C;
    using Type = decltype(T::type);
};

template <auto Member>
bool read_nested(typename NestedOf<decltype(Member)>::Class& object,
                 const xml::Node& node,
                 std::string_view word,
                 xml::Problems& problems) {
    typename NestedOf<decltype(Member)>::Type type{};
    using Codec = xml::Value<decltype(type)>;
    if (!Codec{}.parse(word, type).empty()) {
        return false;
    }
    xml::read((object.*Member).emplace(), node, problems);
    return true;
}

template <class C, auto... Members>
void read_any_nested(C& object, const xml::Node& node, xml::Problems& problems) {
    const std::string_view word = node.attribute("type").value_or("");
    if (!(read_nested<Members>(object, node, word, problems) || ...)) {
        problems.add(node,
                     fmt::format("attribute 'type': {} is not known here", xml::quoted(word)));
    }
}

template <class C, auto... Members>
void read_known_nested(C& object, const xml::Node& node, xml::Problems& problems) {
    const std::string_view word = node.attribute("type").value_or("");
    xml::Problems* unknowns = problems.unknowns();
    if (!(read_nested<Members>(object, node, word, problems) || ...) && unknowns != nullptr) {
        unknowns->add(node,
                      fmt::format("attribute 'type': {} is not known here", xml::quoted(word)));
    }
}

template <class T>
void write_nested(const std::optional<T>& nested, xml::Writer& writer) {
    if (nested) {
        xml::write(*nested, writer, "capability");
    }
}

template <class C, auto... Members>
void write_all_nested(const C& object, xml::Writer& writer) {
    (write_nested(object.*Members, writer), ...);
}

} // namespace detail

/// `<capability type='WORD'>` elements inside a capability: each is one std::optional member, whose
/// struct's `type` accepts the word. Written in the order of the members.
template <class C, auto... Members>
auto nested() {
    return xml::custom<&detail::read_any_nested<C, Members...>,
                       &detail::write_all_nested<C, Members...>>("capability");
}

/// The same where a word that is not known is passed over like an element that is not: libvirt does
/// so for PCI functions.
template <class C, auto... Members>
auto nested_if_known() {
    return xml::custom<&detail::read_known_nested<C, Members...>,
                       &detail::write_all_nested<C, Members...>>("capability");
}

/// The `type` of a nested capability, the first field of its description.
template <class T>
auto nested_type() {
    return xml::attr("type", &T::type);
}

/// A number at most Most, hexadecimal with or without 0x: so libvirt reads what the hardware calls
/// itself.
template <unsigned Width, uint64_t Most = UINT32_MAX>
struct Identifier {
    std::string parse(std::string_view text, uint32_t& out) const {
        const bool prefixed = text.starts_with("0x") || text.starts_with("0X");
        uint64_t wide = 0;
        std::string problem =
            xml::detail::parse_number(prefixed ? text.substr(2) : text, 16, Most, wide);
        out = static_cast<uint32_t>(wide);
        return problem;
    }

    void format(const uint32_t& value, std::string& out) const {
        xml::hex<Width>.format(value, out);
    }
};

/// A number at most Most, written `0x1f` and read as C does.
template <unsigned Width, uint64_t Most>
struct HexAtMost {
    std::string parse(std::string_view text, uint32_t& out) const {
        uint64_t wide = 0;
        std::string problem = xml::detail::parse_number(text, 0, Most, wide);
        out = static_cast<uint32_t>(wide);
        return problem;
    }

    void format(const uint32_t& value, std::string& out) const {
        xml::hex<Width>.format(value, out);
    }
};

/// An element that is absent where the value is empty, or zero.
template <class C>
auto known(std::string_view name, std::string C::*member) {
    return xml::text(name, member).absent_is("");
}

template <class C>
auto known(std::string_view name, uint64_t C::*member) {
    return xml::text(name, member).absent_is(0U);
}

} // namespace vireo::nodedev
