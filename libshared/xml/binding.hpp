// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

/// How to describe an element. A plain struct stands in a header:
///
///     struct DiskDef {
///         DiskType type{};                    // an enumeration with xml::EnumNames
///         DiskTarget target;                  // a struct with its own description
///         std::optional<std::string> serial;  // may be absent
///         std::vector<Iotune> limits;         // any number
///         bool readonly = false;
///         xml::Where where;                   // its line, for later messages (optional)
///         xml::Extra extra;                   // keeps what nobody described (optional)
///     };
///     const xml::Type& describe(const DiskDef*);
///
/// and its description in a *_xml.cpp, the only place that includes this header:
///
///     const xml::Type& describe(const DiskDef*) {
///         static const xml::Type type = xml::element<DiskDef>("disk",
///             xml::attr("type", &DiskDef::type),
///             xml::child(&DiskDef::target),
///             xml::text("serial", &DiskDef::serial),
///             xml::child(&DiskDef::limits),
///             xml::flag("readonly", &DiskDef::readonly));
///         return type;
///     }
///
/// Elsewhere xml::parse<DiskDef>(text) and xml::format(disk) (parse.hpp). A type used in one
/// *_xml.cpp only may have a `static` describe() there, before its use.
///
/// Fields are written in the order of the description, and read in it: a predicate or selector sees
/// what stands before it. std::optional and xml::Box may be absent, std::vector repeats, all else
/// is required.
///   attr(name, member)           name='value'
///   text(name, member)           <name>value</name>
///   content(member)              the element's own text, beside its attributes
///   flag(name, member)           <name/> is true, its absence false
///   child([name,] member)        a described struct; the name defaults to the type's
///   group(name, fields...)       an element around fields of the same struct; not written if empty
///   embed(member)                a struct whose fields stand in this element itself
///   embed(member, fields...)     these fields of it, described here, in this element itself
///   when(predicate, fields...)   fields that exist only where the predicate holds
///   choice(member)               std::variant of structs, told apart by element names; in a
///                                std::vector they keep their order in the document
///   each(name, attribute, member)      a std::vector of values: <boot dev='hd'/><boot
///   dev='cdrom'/> kind<E>(name, member)        an attribute whose word says which alternative of a
///   std::variant
///                                there is; the words of E are in the order of the alternatives
///   one_of([name,] member)       that alternative's fields, in an element or in this one
///   one_of([name,] member, selector)   the same where a lambda gives the alternative's index
///   raw(name, member)            xml::Raw, kept to the letter; raw(member): all elements left
///   custom<&parse, &format>(name)      void parse(T&, const Node&, Problems&) for each such child,
///                                      void format(const T&, Writer&)
/// (which find xml::read(object, node, problems) and xml::write(object, writer) in parse.hpp).
/// attr, text, each and content take a codec as last argument (values.hpp): xml::hex<4>,
/// xml::on_off, xml::kib, xml::uuid, xml::mac, ... Each gives a field with further words:
///   .absent_is(value)   absence means this value, and this value is not written
///   .optional()         absence leaves the member as it was constructed; it is always written
///   .omit_empty()       a struct that may be absent, and is not written if nothing is in it
///   .keep_empty()       a group that is written even if nothing is in it
///   .write_if(lambda)   written only where it holds
///   .shown_in(bits)     written only in a view (FormatOptions::view) that has all these bits
///   .in(namespace)      the element, and what is in it, is in that xml::Namespace

#include "libshared/xml/binding_ops.hpp"
#include "libshared/xml/document.hpp"
#include "libshared/xml/field.hpp"
#include "libshared/xml/parts.hpp"
#include "libshared/xml/problems.hpp"
#include "libshared/xml/values.hpp"
#include "libshared/xml/writer.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace vireo::xml {

/// A field of C whose member is an M (void where it has none).
template <class C, class M>
class FieldOf {
  public:
    using Class = C;

    explicit FieldOf(Kind kind, std::string_view name = {}) : field_(kind, name) {}

    template <std::same_as<M> U>
    FieldOf(Kind kind, std::string_view name, U C::*member) : FieldOf(kind, name) {
        field_.offset = detail::offset_of(member);
        field_.holder = &detail::holder<M>;
        field_.required = field_.holder->required;
    }

    template <class V>
    FieldOf&& absent_is(V&& value) && {
        static_assert(std::is_same_v<detail::item_t<M>, M>,
                      "a member that is required, or the type says it");
        field_.absent = std::make_shared<const M>(std::forward<V>(value));
        field_.assign = [](void* member, const void* from) {
            *static_cast<M*>(member) = *static_cast<const M*>(from);
        };
        field_.equal = [](const void* member, const void* other) {
            return *static_cast<const M*>(member) == *static_cast<const M*>(other);
        };
        field_.required = false;
        return std::move(*this);
    }

    FieldOf&& optional() && {
        field_.required = false;
        return std::move(*this);
    }

    FieldOf&& omit_empty() && {
        field_.required = false;
        field_.omit_empty = true;
        return std::move(*this);
    }

    FieldOf&& keep_empty() && {
        field_.omit_empty = false;
        return std::move(*this);
    }

    template <detail::Stateless P>
    FieldOf&& write_if(P) && {
        field_.write_if = &detail::ask<C, P, bool>;
        return std::move(*this);
    }

    FieldOf&& shown_in(unsigned bits) && {
        field_.view = bits;
        return std::move(*this);
    }

    /// `ns` is an object that lives as long as the program.
    FieldOf&& in(const Namespace& ns) && {
        field_.ns = &ns;
        return std::move(*this);
    }

    Field& raw() noexcept { return field_; }

  private:
    Field field_;
};

template <class C, class M, class Codec = Value<detail::item_t<M>>>
FieldOf<C, M> attr(std::string_view name, M C::*member, Codec = {}) {
    static_assert(!detail::is_vector<M>, "give a list in one attribute a type of its own");
    FieldOf<C, M> field(Kind::attribute, name, member);
    field.raw().value = &detail::value_ops<detail::item_t<M>, Codec>;
    return field;
}

template <class C, class M, class Codec = Value<detail::item_t<M>>>
FieldOf<C, M> text(std::string_view name, M C::*member, Codec = {}) {
    FieldOf<C, M> field(Kind::text, name, member);
    field.raw().value = &detail::value_ops<detail::item_t<M>, Codec>;
    return field;
}

template <class C, class U, class Codec = Value<U>>
FieldOf<C, std::vector<U>>
each(std::string_view name, std::string_view attribute, std::vector<U> C::*member, Codec = {}) {
    FieldOf<C, std::vector<U>> field(Kind::text, name, member);
    field.raw().value = &detail::value_ops<U, Codec>;
    field.raw().in_attribute = attribute;
    return field;
}

template <class C, class M, class Codec = Value<detail::item_t<M>>>
FieldOf<C, M> content(M C::*member, Codec = {}) {
    static_assert(!detail::is_vector<M>, "an element's text cannot be repeated");
    FieldOf<C, M> field(Kind::content, {}, member);
    field.raw().value = &detail::value_ops<detail::item_t<M>, Codec>;
    return field;
}

template <class C>
FieldOf<C, bool> flag(std::string_view name, bool C::*member) {
    return FieldOf<C, bool>(Kind::flag, name, member).optional();
}

template <class C, class M>
FieldOf<C, M> child(std::string_view name, M C::*member) {
    FieldOf<C, M> field(Kind::child, name, member);
    field.raw().type = &detail::type_of<detail::item_t<M>>;
    return field;
}

template <class C, class M>
FieldOf<C, M> child(M C::*member) {
    return child(std::string_view(), member);
}

template <class... B>
auto group(std::string_view name, B&&... fields) {
    FieldOf<detail::Common<B...>, void> field(Kind::group, name);
    field.raw().omit_empty = true;
    field.raw().required = true; // if anything in it is
    (append(field.raw().fields, std::move(fields.raw())), ...);
    return field;
}

template <detail::Stateless P, class... B>
auto when(P, B&&... fields) {
    using C = detail::Common<B...>;
    FieldOf<C, void> field(Kind::when);
    field.raw().holds = &detail::ask<C, P, bool>;
    (append(field.raw().fields, std::move(fields.raw())), ...);
    return field;
}

template <class C, class M>
FieldOf<C, M> embed(M C::*member) {
    FieldOf<C, M> field(Kind::embed, {}, member);
    static_assert(std::is_same_v<detail::item_t<M>, M>, "its fields say whether they are there");
    field.raw().type = &detail::type_of<M>;
    return field;
}

template <class C, class M, class... B>

requires(sizeof...(B) > 0) FieldOf<C, M> embed(M C::*member, B&&... fields) {
    static_assert((std::is_base_of_v<typename std::remove_cvref_t<B>::Class, M> && ...),
                  "a field of another struct");
    FieldOf<C, M> field(Kind::embed, {}, member);
    (detail::check_base<M, typename std::remove_cvref_t<B>::Class>(), ...);
    (append(field.raw().fields, std::move(fields.raw())), ...);
    return field;
}

template <class C, class M>
FieldOf<C, M> choice(M C::*member) {
    FieldOf<C, M> field(Kind::choice, {}, member);
    field.raw().variant = &detail::variant_ops<detail::item_t<M>>;
    return field;
}

template <NamedEnum E, class C, class V>
FieldOf<C, V> kind(std::string_view name, V C::*member) {
    static_assert(EnumNames<E>::names.size() == std::variant_size_v<V>, "a word per alternative");
    return attr(name, member, detail::KindCodec<E, V>{});
}

template <class C, class M, detail::Stateless S>
FieldOf<C, M> one_of(std::string_view name, M C::*member, S) {
    static_assert(!detail::is_vector<M>, "the selector decides for one element");
    FieldOf<C, M> field(Kind::one_of, name, member);
    field.raw().variant = &detail::variant_ops<detail::item_t<M>>;
    field.raw().select = &detail::ask<C, S, std::size_t>;
    return field;
}

template <class C, class M, detail::Stateless S>
FieldOf<C, M> one_of(M C::*member, S selector) {
    static_assert(std::is_same_v<detail::item_t<M>, M>, "use std::monostate for nothing");
    return one_of(std::string_view(), member, selector);
}

template <class C, class M>
FieldOf<C, M> one_of(std::string_view name, M C::*member) {
    FieldOf<C, M> field(Kind::one_of, name, member);
    field.raw().variant = &detail::variant_ops<M>;
    return field;
}

template <class C, class M>
FieldOf<C, M> one_of(M C::*member) {
    return one_of(std::string_view(), member);
}

template <class C, class M>
FieldOf<C, M> raw(std::string_view name, M C::*member) {
    static_assert(std::is_same_v<detail::item_t<M>, Raw>);
    return FieldOf<C, M>(Kind::raw, name, member);
}

template <class C>
FieldOf<C, std::vector<Raw>> raw(std::vector<Raw> C::*member) {
    return raw(std::string_view(), member);
}

template <auto Parse, auto Format>
auto custom(std::string_view name) {
    using C = typename detail::CustomClass<decltype(Parse)>::type;
    FieldOf<C, void> field(Kind::custom, name);
    field.raw().custom_parse = [](void* object, const Node& node, Problems& problems) {
        Parse(*static_cast<C*>(object), node, problems);
    };
    field.raw().custom_format = [](const void* object, Writer& writer) {
        Format(*static_cast<const C*>(object), writer);
    };
    return field;
}

/// The description of T: its element's name and fields.
template <class T, class... B>
Type element(std::string_view name, B&&... fields) {
    static_assert((std::is_base_of_v<typename std::remove_cvref_t<B>::Class, T> && ...),
                  "a field of another struct");
    Type type(name);
    if constexpr (detail::HasWhere<T>) {
        type.where = detail::offset_of<T, Where>(&T::where); // it may be a base's
    }
    if constexpr (detail::HasExtra<T>) {
        type.extra = detail::offset_of<T>(&T::extra);
    }
    type.fields.reserve(sizeof...(fields));
    (detail::check_base<T, typename std::remove_cvref_t<B>::Class>(), ...);
    (append(type.fields, std::move(fields.raw())), ...);
    return type;
}

} // namespace vireo::xml
