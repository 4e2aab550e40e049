// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/types.hpp"

namespace vireo::bus {

Variant::Variant(const Variant&) = default;
Variant::Variant(Variant&&) noexcept = default;
Variant& Variant::operator=(const Variant&) = default;
Variant& Variant::operator=(Variant&&) noexcept = default;
Variant::~Variant() = default;

bool operator==(const Variant& a, const Variant& b) {
    return a.value_ == b.value_;
}

} // namespace vireo::bus
