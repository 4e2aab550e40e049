// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "libshared/xml/field.hpp"
#include "libshared/xml/leftovers.hpp"
#include "libshared/xml/parse.hpp"
#include "libshared/xml/parts.hpp"
#include "libshared/xml/tree.hpp"

#include <atomic>
#include <cstdint>

namespace vireo::xml {

namespace {

/// One element that is being read.
struct Frame {
    xmlNode* node;
    const Namespace* ns;
    bool has_content = false; // its own text belongs to a field
};

class Reader {
  public:
    explicit Reader(Problems& problems)
        : problems_(problems), mark_(next_mark()), leftovers_(problems, mark_) {}

    void element(const Type& type, void* object, xmlNode* node, const Namespace* ns) {
        node->_private = mark_;
        Frame frame{node, ns};
        fields(type, object, frame);
        Extra* extra = nullptr;
        if (type.extra != Type::none) {
            extra = reinterpret_cast<Extra*>(static_cast<char*>(object) + type.extra);
        }
        leftovers_.check(node, frame.has_content, extra);
    }

  private:
    /// Marks of an earlier reading of the same tree must not be taken for ours.
    static void* next_mark() noexcept {
        static std::atomic<std::uintptr_t> readings = 0;
        return reinterpret_cast<void*>(++readings);
    }

    void fields(const Type& type, void* object, Frame& frame) {
        if (type.where != Type::none) {
            auto* where = reinterpret_cast<Where*>(static_cast<char*>(object) + type.where);
            where->line = tree::line(frame.node);
        }
        fields(type.fields, object, frame);
    }

    void fields(const std::vector<Field>& fields, void* object, Frame& frame) {
        for (const Field& field : fields) {
            read(field, object, frame);
        }
    }

    void read(const Field& field, void* object, Frame& frame) {
        switch (field.kind) {
        case Kind::attribute:
            attribute(field, object, frame);
            break;
        case Kind::content:
            content(field, object, frame);
            break;
        case Kind::flag:
            flag(field, object, frame);
            break;
        case Kind::group:
            group(field, object, frame);
            break;
        case Kind::choice:
            choice(field, object, frame);
            break;
        case Kind::one_of:
            one_of(field, object, frame);
            break;
        case Kind::embed:
            if (field.type != nullptr) {
                fields(field.type(), field.member(object), frame);
            } else {
                fields(field.fields, field.member(object), frame);
            }
            break;
        case Kind::when:
            if (field.holds(object)) {
                fields(field.fields, object, frame);
            }
            break;
        case Kind::text:
        case Kind::child:
        case Kind::raw:
        case Kind::custom:
            elements(field, object, frame);
            break;
        }
    }

    // Finding

    static bool is(const xmlNode* node, std::string_view name, const Namespace* ns) noexcept {
        if (tree::view(node->name) != name) {
            return false;
        }
        return ns == nullptr ? node->ns == nullptr
                             : node->ns != nullptr && tree::view(node->ns->href) == ns->uri;
    }

    static const Namespace* space_of(const Field& field, const Frame& frame) noexcept {
        return field.ns != nullptr ? field.ns : frame.ns;
    }

    /// `from` or the first element after it that is called `name` and has not been read.
    xmlNode* find(xmlNode* from, std::string_view name, const Namespace* ns) const noexcept {
        xmlNode* node = tree::element_from(from);
        while (node != nullptr && (node->_private == mark_ || !is(node, name, ns))) {
            node = tree::element_from(node->next);
        }
        return node;
    }

    /// The value of an attribute that thereby has been read.
    std::optional<std::string_view> take(const xmlNode* node, std::string_view name) const {
        for (xmlAttr* at = node->properties; at != nullptr; at = at->next) {
            if (at->ns == nullptr && tree::view(at->name) == name) {
                at->_private = mark_;
                return tree::value(at);
            }
        }
        return std::nullopt;
    }

    // Values

    void problem(const xmlNode* node, const std::string& what) {
        problems_.add(Node(const_cast<xmlNode*>(node)), what); // it only asks
    }

    /// Gives whether the value was good; says what is wrong with it otherwise.
    void value(const Field& field, void* to, std::string_view text, const xmlNode* node) {
        std::string wrong;
        if (field.value->parse_scaled != nullptr) {
            wrong = field.value->parse_scaled(text, take(node, "unit").value_or(""), to);
        } else {
            wrong = field.value->parse(text, to);
        }
        if (!wrong.empty()) {
            const std::string_view in =
                field.kind == Kind::attribute ? field.name : field.in_attribute;
            const std::string of = in.empty() ? std::string() : fmt::format("attribute '{}': ", in);
            problem(node, of + quoted(text) + ' ' + wrong);
        }
    }

    void missing(const Field& field, const xmlNode* node) {
        problem(node,
                fmt::format("{} '{}' is missing",
                            field.kind == Kind::attribute ? "attribute" : "element",
                            name_of(field)));
    }

    static std::string_view name_of(const Field& field) {
        return field.name.empty() && field.type != nullptr ? field.type().name : field.name;
    }

    void absent(const Field& field, void* object, const xmlNode* node) {
        if (field.absent) {
            field.assign(field.member(object), field.absent.get());
        } else if (field.required) {
            missing(field, node);
        }
    }

    // One kind of field each

    void attribute(const Field& field, void* object, Frame& frame) {
        const std::optional<std::string_view> text = take(frame.node, field.name);
        if (!text) {
            absent(field, object, frame.node);
            return;
        }
        value(field, field.holder->make(field.member(object)), *text, frame.node);
    }

    void content(const Field& field, void* object, Frame& frame) {
        frame.has_content = true;
        std::string pieces;
        const std::string_view text = tree::text(frame.node, pieces);
        if (!field.required && text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
            absent(field, object, frame.node);
            return;
        }
        value(field, field.holder->make(field.member(object)), text, frame.node);
    }

    void flag(const Field& field, void* object, Frame& frame) {
        xmlNode* node = find(frame.node->children, field.name, space_of(field, frame));
        *static_cast<bool*>(field.member(object)) = node != nullptr;
        if (node != nullptr) {
            node->_private = mark_;
            leftovers_.check(node, false, nullptr);
        }
    }

    /// text, child, raw, custom: one element, or all of that name.
    void elements(const Field& field, void* object, Frame& frame) {
        const std::string_view name = name_of(field);
        const Namespace* ns = space_of(field, frame);
        const bool any = field.kind == Kind::raw && name.empty();
        const bool repeated = field.holder == nullptr || field.holder->repeated;
        bool found = false;
        for (xmlNode* node = tree::element_from(frame.node->children); node != nullptr;
             node = tree::element_from(node->next)) {
            if (node->_private == mark_ || !(any || is(node, name, ns))) {
                continue;
            }
            found = true;
            one_element(field, object, node, ns);
            node->_private = mark_; // last: a custom field may have read it with marks of its own
            if (!repeated) {
                break;
            }
        }
        if (!found && field.kind != Kind::custom) {
            absent(field, object, frame.node);
        }
    }

    void one_element(const Field& field, void* object, xmlNode* node, const Namespace* ns) {
        if (field.kind == Kind::custom) {
            field.custom_parse(object, Node(node), problems_);
            return;
        }
        void* to = field.holder->make(field.member(object));
        if (field.kind == Kind::child) {
            element(field.type(), to, node, ns);
        } else if (field.kind == Kind::raw) {
            static_cast<Raw*>(to)->text = tree::source(node);
        } else {
            text_element(field, to, node);
        }
    }

    void text_element(const Field& field, void* to, xmlNode* node) {
        std::string pieces;
        if (field.in_attribute.empty()) {
            value(field, to, tree::text(node, pieces), node);
        } else if (const auto text = take(node, field.in_attribute)) {
            value(field, to, *text, node);
        } else {
            problem(node, fmt::format("attribute '{}' is missing", field.in_attribute));
        }
        leftovers_.check(node, field.in_attribute.empty(), nullptr);
    }

    void group(const Field& field, void* object, Frame& frame) {
        const Namespace* ns = space_of(field, frame);
        xmlNode* node = find(frame.node->children, field.name, ns);
        if (node == nullptr) {
            if (absent_fields(field.fields, object) && field.required) {
                missing(field, frame.node);
            }
            return;
        }
        node->_private = mark_;
        Frame inner{node, ns};
        fields(field.fields, object, inner);
        leftovers_.check(node, inner.has_content, nullptr);
    }

    /// Sets what absence stands for; gives whether anything among the fields is required.
    static bool absent_fields(const std::vector<Field>& fields, void* object) {
        bool required = false;
        for (const Field& field : fields) {
            if (field.kind == Kind::group || (field.kind == Kind::when && field.holds(object))) {
                required |= absent_fields(field.fields, object) &&
                            (field.kind == Kind::when || field.required);
            } else if (field.kind == Kind::embed) {
                required |= absent_fields(field.embedded(), field.member(object));
            } else if (field.absent) {
                field.assign(field.member(object), field.absent.get());
            } else {
                required |= field.required;
            }
        }
        return required;
    }

    void choice(const Field& field, void* object, Frame& frame) {
        const VariantOps& variant = *field.variant;
        const Namespace* ns = space_of(field, frame);
        bool found = false;
        for (xmlNode* node = tree::element_from(frame.node->children); node != nullptr;
             node = tree::element_from(node->next)) {
            for (std::size_t i = 0; i < variant.size && node->_private != mark_; ++i) {
                if (variant.types[i] != nullptr && is(node, variant.types[i]().name, ns)) {
                    void* to = variant.emplace(field.holder->make(field.member(object)), i);
                    element(variant.types[i](), to, node, ns);
                    found = true;
                }
            }
            if (found && !field.holder->repeated) {
                return;
            }
        }
        if (!found && field.required) {
            std::string names;
            for (std::size_t i = 0; i < variant.size; ++i) {
                if (variant.types[i] == nullptr) {
                    return; // std::monostate: nothing is one of the choices
                }
                names += names.empty() ? "" : ", ";
                names += variant.types[i]().name;
            }
            problem(frame.node, fmt::format("one of the elements {} is missing", names));
        }
    }

    void one_of(const Field& field, void* object, Frame& frame) {
        const VariantOps& variant = *field.variant;
        void* member = field.member(object);
        const auto make = [&](std::size_t index) {
            void* held = field.holder->make(member);
            // What an xml::kind has made must not be made anew: another field may have filled it.
            return variant.index(held) == index ? const_cast<void*>(variant.get(held))
                                                : variant.emplace(held, index);
        };
        const std::size_t index =
            field.select != nullptr ? field.select(object) : variant.index(member);
        if (index >= variant.size) {
            throw Error(ErrorCode::internal, "selector of '{}' gives {}", field.name, index);
        }
        const TypeRef type = variant.types[index];
        if (type == nullptr) {
            make(index);
            return;
        }
        if (field.name.empty()) {
            fields(type(), make(index), frame);
            return;
        }
        const Namespace* ns = space_of(field, frame);
        xmlNode* node = find(frame.node->children, field.name, ns);
        if (node != nullptr) {
            element(type(), make(index), node, ns);
            return;
        }
        absent(field, object, frame.node);
        if (field.holder->required) { // the member itself is the variant: of the right kind, then
            make(index);
        }
    }

    Problems& problems_;
    void* mark_;
    Leftovers leftovers_;
};

std::string described(const Node& node) {
    std::string text = fmt::format("element {}", quoted(node.name()));
    if (!node.namespace_uri().empty()) {
        text += fmt::format(" of namespace {}", quoted(node.namespace_uri()));
    }
    return text;
}

} // namespace

namespace detail {

void read(const Type& type, void* object, const Node& node, Problems& problems) {
    // The namespace of a custom field's element is that field's matter.
    const xmlNs* ns = node.raw()->ns;
    const Namespace inherited{ns != nullptr ? tree::view(ns->href) : std::string_view(), {}};
    Reader(problems).element(type, object, node.raw(), ns != nullptr ? &inherited : nullptr);
}

void read(const Type& type, void* object, const Node& node, const ParseOptions& options) {
    if ((!type.name.empty() && node.name() != type.name) || !node.namespace_uri().empty()) {
        throw Error(ErrorCode::xml_error,
                    "line {}: {} found where '{}' is expected",
                    node.line(),
                    described(node),
                    type.name);
    }
    Problems problems(options.unknown, options.unknowns);
    read(type, object, node, problems);
    problems.raise();
}

void parse(const Type& type, void* object, std::string_view text, const ParseOptions& options) {
    const Document document = Document::parse(text, options.limits);
    read(type, object, document.root(), options);
}

} // namespace detail

} // namespace vireo::xml
