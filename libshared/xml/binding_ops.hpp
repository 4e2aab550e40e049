// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/field.hpp"
#include "libshared/xml/parts.hpp"
#include "libshared/xml/values.hpp"

#include <array>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

/// The functions behind binding.hpp's tables, one set for each kind of member.
namespace vireo::xml::detail {

template <class M>
struct ItemOf {
    using type = M;
};

template <class T>
struct ItemOf<std::optional<T>> {
    using type = T;
};

template <class T>
struct ItemOf<Box<T>> {
    using type = T;
};

template <class T>
struct ItemOf<std::vector<T>> {
    using type = T;
};

template <class M>
using item_t = typename ItemOf<M>::type;

template <class M>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;

template <class U>
inline constexpr bool is_variant = false;
template <class... A>
inline constexpr bool is_variant<std::variant<A...>> = true;

template <class P>
concept Stateless = std::is_empty_v<P> && std::is_default_constructible_v<P>;

template <class T>
concept HasWhere = requires(T t) {
    { t.where } -> std::same_as<Where&>;
};

template <class T>
concept HasExtra = requires(T t) {
    { t.extra } -> std::same_as<Extra&>;
};

/// The most derived of the structs that some fields belong to.
template <class A, class B>
struct Derived {
    static_assert(std::is_base_of_v<A, B> || std::is_base_of_v<B, A>, "fields of two structs");
    using type = std::conditional_t<std::is_base_of_v<A, B>, B, A>;
};

template <class First, class... Rest>
struct CommonOf {
    using type = First;
};

template <class First, class Second, class... Rest>
struct CommonOf<First, Second, Rest...> {
    using type = typename CommonOf<typename Derived<First, Second>::type, Rest...>::type;
};

template <class... B>
using Common = typename CommonOf<typename std::remove_cvref_t<B>::Class...>::type;

template <class F>
struct CustomClass;

template <class C>
struct CustomClass<void (*)(C&, const Node&, Problems&)> {
    using type = C;
};

/// Where a member lies in its struct. No C is made: a C may be costly, or have no such constructor.
template <class C, class M>
std::size_t offset_of(M C::*member) {
    alignas(C) unsigned char storage[sizeof(C)];
    auto* object = reinterpret_cast<C*>(storage);
    return static_cast<std::size_t>(
        reinterpret_cast<unsigned char*>(std::addressof(object->*member)) - storage);
}

template <class C, class P, class R>
R ask(const void* object) {
    return static_cast<R>(P{}(*static_cast<const C*>(object)));
}

template <class U>
const Type& type_of() {
    return describe(static_cast<const U*>(nullptr));
}

template <class M>
void* make_item(void* member) {
    if constexpr (is_vector<M>) {
        return &static_cast<M*>(member)->emplace_back();
    } else if constexpr (std::is_same_v<item_t<M>, M>) {
        return member;
    } else {
        return &static_cast<M*>(member)->emplace();
    }
}

template <class M>
std::size_t count_items(const void* member) {
    if constexpr (is_vector<M>) {
        return static_cast<const M*>(member)->size();
    } else if constexpr (std::is_same_v<item_t<M>, M>) {
        return 1;
    } else {
        return *static_cast<const M*>(member) ? 1 : 0;
    }
}

template <class M>
const void* item_at(const void* member, std::size_t index) {
    if constexpr (is_vector<M>) {
        return &(*static_cast<const M*>(member))[index];
    } else if constexpr (std::is_same_v<item_t<M>, M>) {
        return member;
    } else {
        return &**static_cast<const M*>(member);
    }
}

template <class M>
inline constexpr HolderOps holder{
    &make_item<M>, &count_items<M>, &item_at<M>, std::is_same_v<item_t<M>, M>, is_vector<M>};

template <class U, class Codec>
constexpr ValueOps make_value_ops() {
    ValueOps ops{};
    ops.may_be_wordless = NamedEnum<U> || is_variant<U>;
    if constexpr (requires { Codec::unit; }) {
        ops.unit = Codec::unit;
        ops.parse_scaled = [](std::string_view text, std::string_view unit, void* value) {
            return Codec{}.parse(text, unit, *static_cast<U*>(value));
        };
    } else {
        ops.parse = [](std::string_view text, void* value) {
            return Codec{}.parse(text, *static_cast<U*>(value));
        };
    }
    ops.format = [](const void* value, std::string& out) {
        Codec{}.format(*static_cast<const U*>(value), out);
    };
    return ops;
}

template <class U, class Codec>
inline constexpr ValueOps value_ops = make_value_ops<U, Codec>();

template <class V>
struct VariantParts;

template <class... A>
struct VariantParts<std::variant<A...>> {
    using V = std::variant<A...>;

    template <class U>
    static constexpr TypeRef type() {
        if constexpr (std::is_same_v<U, std::monostate>) {
            return nullptr;
        } else {
            return &type_of<U>;
        }
    }

    template <class U, std::size_t I>
    static void* emplace(void* variant) {
        return &static_cast<V*>(variant)->template emplace<I>();
    }

    template <std::size_t... I>
    static constexpr std::array<void* (*)(void*), sizeof...(A)>
    emplacers(std::index_sequence<I...>) {
        return {&emplace<A, I>...};
    }

    static constexpr std::array<TypeRef, sizeof...(A)> types{type<A>()...};
    static constexpr auto makers = emplacers(std::index_sequence_for<A...>{});
};

template <class V>
inline constexpr VariantOps variant_ops{
    std::variant_size_v<V>,
    VariantParts<V>::types.data(),
    [](void* variant, std::size_t index) { return VariantParts<V>::makers[index](variant); },
    [](const void* variant) { return static_cast<const V*>(variant)->index(); },
    [](const void* variant) {
        return std::visit([](const auto& held) { return static_cast<const void*>(&held); },
                          *static_cast<const V*>(variant));
    }};

/// The value that is a variant's kind.
template <class E, class V>
struct KindCodec {
    std::string parse(std::string_view text, V& out) const {
        E kind{};
        std::string problem = Value<E>{}.parse(text, kind);
        if (problem.empty()) {
            variant_ops<V>.emplace(&out, static_cast<std::size_t>(kind));
        }
        return problem;
    }

    void format(const V& value, std::string& out) const {
        out += name_of(static_cast<E>(value.index()));
    }
};

/// A field of a base C serves as one of T: members are found by offset, so C must be T's first
/// base.
template <class T, class C>
void check_base() {
    if constexpr (!std::is_same_v<T, C>) {
        alignas(T) unsigned char storage[sizeof(T)];
        auto* base = static_cast<C*>(reinterpret_cast<T*>(storage));
        if (reinterpret_cast<unsigned char*>(base) != storage) {
            std::terminate(); // a mistake in a description, seen at its first use
        }
    }
}

} // namespace vireo::xml::detail
