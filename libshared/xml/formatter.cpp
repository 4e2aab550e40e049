// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/field.hpp"
#include "libshared/xml/parse.hpp"
#include "libshared/xml/parts.hpp"
#include "libshared/xml/writer.hpp"

namespace vireo::xml {

namespace {

/// Attributes have to be written before anything else of an element, and they may stand anywhere
/// among the fields (behind `when`, in an embedded struct), so each element is gone through twice.
class Formatter {
  public:
    explicit Formatter(Writer& writer) : writer_(writer) {}

    void element(const Type& type, const void* object, std::string_view name, const Field* field) {
        writer_.open(name, field != nullptr ? field->ns : nullptr);
        attributes(type, object);
        children(type, object);
        end(field != nullptr && field->omit_empty);
    }

  private:
    void end(bool omit_empty) {
        if (omit_empty && writer_.empty_element()) {
            writer_.discard();
        } else {
            writer_.close();
        }
    }

    bool hidden(const Field& field, const void* object) const {
        return (field.view & ~writer_.view()) != 0 ||
               (field.write_if != nullptr && !field.write_if(object)) ||
               (field.absent && field.equal(field.member(object), field.absent.get()));
    }

    static const Extra* extra_of(const Type& type, const void* object) noexcept {
        return type.extra == Type::none
                   ? nullptr
                   : reinterpret_cast<const Extra*>(static_cast<const char*>(object) + type.extra);
    }

    /// The value as text; gives whether it has one.
    bool text_of(const Field& field, const void* value) {
        text_.clear();
        field.value->format(value, text_);
        return !field.value->may_be_wordless || !text_.empty();
    }

    // First: attributes

    void attributes(const Type& type, const void* object) {
        attributes(type.fields, object);
        if (const Extra* extra = extra_of(type, object)) {
            for (const Extra::Attribute& kept : extra->attributes) {
                writer_.attribute(kept.name, kept.value);
            }
        }
    }

    void attributes(const std::vector<Field>& fields, const void* object) {
        for (const Field& field : fields) {
            switch (field.kind) {
            case Kind::attribute:
            case Kind::content:
                if (!hidden(field, object)) {
                    attribute(field, field.member(object));
                }
                break;
            case Kind::when:
                if (field.holds(object) && !hidden(field, object)) {
                    attributes(field.fields, object);
                }
                break;
            case Kind::embed:
                if (!hidden(field, object)) {
                    attributes(field.embedded(), field.member(object));
                }
                break;
            case Kind::one_of:
                if (const Type* type = embedded_choice(field, object)) {
                    attributes(type->fields, field.variant->get(field.member(object)));
                }
                break;
            default:
                break;
            }
        }
    }

    void attribute(const Field& field, const void* member) {
        if (field.holder->count(member) == 0) {
            return;
        }
        if (field.kind == Kind::attribute && text_of(field, field.holder->at(member, 0))) {
            writer_.attribute(field.name, text_);
        }
        if (!field.value->unit.empty()) {
            writer_.attribute("unit", field.value->unit);
        }
    }

    /// The type whose fields a nameless one_of puts into this element.
    const Type* embedded_choice(const Field& field, const void* object) const {
        if (!field.name.empty() || hidden(field, object)) {
            return nullptr;
        }
        const TypeRef type = field.variant->types[field.variant->index(field.member(object))];
        return type != nullptr ? &type() : nullptr;
    }

    // Then: content and elements

    void children(const Type& type, const void* object) {
        children(type.fields, object);
        if (const Extra* extra = extra_of(type, object)) {
            for (const Raw& kept : extra->elements) {
                writer_.raw(kept.text);
            }
        }
    }

    void children(const std::vector<Field>& fields, const void* object) {
        for (const Field& field : fields) {
            if (field.kind != Kind::attribute && !hidden(field, object)) {
                field_children(field, object);
            }
        }
    }

    void field_children(const Field& field, const void* object) {
        switch (field.kind) {
        case Kind::attribute:
            break;
        case Kind::when:
            if (field.holds(object)) {
                children(field.fields, object);
            }
            break;
        case Kind::embed:
            children(field.embedded(), field.member(object));
            break;
        case Kind::group:
            writer_.open(field.name, field.ns);
            attributes(field.fields, object);
            children(field.fields, object);
            end(field.omit_empty);
            break;
        case Kind::flag:
            if (*static_cast<const bool*>(field.member(object))) {
                writer_.open(field.name, field.ns);
                writer_.close();
            }
            break;
        case Kind::custom:
            field.custom_format(object, writer_);
            break;
        case Kind::one_of:
            if (const Type* type = embedded_choice(field, object)) {
                children(type->fields, field.variant->get(field.member(object)));
                break;
            }
            [[fallthrough]];
        default:
            values(field, field.member(object));
            break;
        }
    }

    void values(const Field& field, const void* member) {
        const std::size_t count = field.holder->count(member);
        for (std::size_t i = 0; i < count; ++i) {
            value(field, field.holder->at(member, i));
        }
    }

    void value(const Field& field, const void* value) {
        switch (field.kind) {
        case Kind::content:
            if (text_of(field, value)) {
                writer_.text(text_);
            }
            break;
        case Kind::text:
            if (text_of(field, value)) {
                writer_.open(field.name, field.ns);
                if (!field.value->unit.empty()) {
                    writer_.attribute("unit", field.value->unit);
                }
                if (field.in_attribute.empty()) {
                    writer_.text(text_);
                } else {
                    writer_.attribute(field.in_attribute, text_);
                }
                writer_.close();
            }
            break;
        case Kind::child: {
            const Type& type = field.type();
            element(type, value, field.name.empty() ? type.name : field.name, &field);
            break;
        }
        case Kind::choice:
        case Kind::one_of:
            if (const TypeRef held = field.variant->types[field.variant->index(value)]) {
                const Type& type = held();
                element(type,
                        field.variant->get(value),
                        field.name.empty() ? type.name : field.name,
                        &field);
            }
            break;
        case Kind::raw:
            writer_.raw(static_cast<const Raw*>(value)->text);
            break;
        default:
            break;
        }
    }

    Writer& writer_;
    std::string text_; // one buffer for all values
};

} // namespace

namespace detail {

void write(const Type& type, const void* object, Writer& writer, std::string_view name) {
    Formatter(writer).element(type, object, name.empty() ? type.name : name, nullptr);
}

std::string format(const Type& type, const void* object, const FormatOptions& options) {
    Writer writer(options.view, options.indent);
    write(type, object, writer, {});
    return writer.take();
}

} // namespace detail

} // namespace vireo::xml
