// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/binding.hpp"
#include "values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>
#include <vector>

/// Ways of writing values that only the domain's XML has. For the *_xml.cpp files.
namespace vireo::qemu {

/// The attribute that says which alternative of a variant an element holds; the words of E are in
/// the order of the alternatives. Reading it makes that alternative, empty.
template <class E>
struct AlternativeTag {
    template <class... A>
    std::string parse(std::string_view text, std::variant<A...>& out) const {
        E value{};
        std::string wrong = xml::Value<E>{}.parse(text, value);
        if (wrong.empty()) {
            make(out, static_cast<std::size_t>(value), std::index_sequence_for<A...>{});
        }
        return wrong;
    }

    template <class... A>
    void format(const std::variant<A...>& value, std::string& out) const {
        out += xml::name_of(static_cast<E>(value.index()));
    }

  private:
    template <class V, std::size_t... I>
    static void make(V& out, std::size_t index, std::index_sequence<I...>) {
        (void)((I == index && (out.template emplace<I>(), true)) || ...);
    }
};

template <class E>
inline constexpr AlternativeTag<E> tag;

/// Selects the alternative that an AlternativeTag has made.
template <auto Member>
struct ByTag {
    template <class C>
    std::size_t operator()(const C& object) const {
        return (object.*Member).index();
    }
};

/// The name of a custom field, as a template argument.
template <std::size_t N>
struct Word {
    char text[N]{};

    consteval Word(const char (&from)[N]) { std::copy_n(from, N, text); }

    constexpr std::string_view view() const { return {text, N - 1}; }
};

namespace detail {

template <class M>
struct MemberOf;

template <class C, class M>
struct MemberOf<M C::*> {
    using Class = C;
    using Type = M;
};

template <auto Member, Word Attribute>
void parse_item(typename MemberOf<decltype(Member)>::Class& object,
                const xml::Node& node,
                xml::Problems& problems) {
    using Item = typename MemberOf<decltype(Member)>::Type::value_type;
    const std::string_view name = Attribute.view();
    const auto text = node.attribute(name);
    if (!text) {
        problems.add(node.line(), node.path(), fmt::format("attribute '{}' is missing", name));
        return;
    }
    Item item{};
    const std::string wrong = xml::Value<Item>{}.parse(*text, item);
    if (!wrong.empty()) {
        problems.add(node.line(),
                     node.path(),
                     fmt::format("attribute '{}': {} {}", name, xml::quoted(*text), wrong));
        return;
    }
    (object.*Member).push_back(std::move(item));
}

template <auto Member, Word Element, Word Attribute>
void format_items(const typename MemberOf<decltype(Member)>::Class& object, xml::Writer& writer) {
    for (const auto& item : object.*Member) {
        std::string text;
        xml::Value<std::remove_cvref_t<decltype(item)>>{}.format(item, text);
        writer.open(Element.view());
        writer.attribute(Attribute.view(), text);
        writer.close();
    }
}

} // namespace detail

/// `<boot dev='hd'/><boot dev='cdrom'/>`: a std::vector of plain values, one per element.
template <auto Member, Word Element, Word Attribute>
auto each() {
    return xml::custom<&detail::parse_item<Member, Attribute>,
                       &detail::format_items<Member, Element, Attribute>>(Element.view());
}

/// Octal without a prefix: `0755`.
struct Octal {
    std::string parse(std::string_view text, uint32_t& out) const {
        out = 0;
        for (const char c : text) {
            if (c < '0' || c > '7' || out > 0777) {
                return "is not an octal file mode";
            }
            out = out * 8 + static_cast<uint32_t>(c - '0');
        }
        return text.empty() || out > 0777 ? "is not an octal file mode" : "";
    }

    void format(const uint32_t& value, std::string& out) const {
        out += fmt::format("{:04o}", value);
    }
};

} // namespace vireo::qemu
