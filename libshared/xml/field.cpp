// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/xml/field.hpp"

#include <utility>

namespace vireo::xml {

Field::Field(Kind of, std::string_view called) : kind(of), name(called) {}

Field::Field(Field&& other) noexcept = default;
Field& Field::operator=(Field&& other) noexcept = default;
Field::~Field() = default;

const std::vector<Field>& Field::embedded() const {
    return type != nullptr ? type().fields : fields;
}

Type::Type(std::string_view element_name) : name(element_name) {}

void append(std::vector<Field>& fields, Field&& field) {
    fields.push_back(std::move(field));
}

} // namespace vireo::xml
