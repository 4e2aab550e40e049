// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/parts.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace vireo::qemu {

/// A set of CPUs or NUMA nodes as documents write it (`1-4,^3,8`) in its one form: ascending
/// ranges without overlap (`1-2,4,8`). Throws xml_error for anything else, and for numbers above
/// 16383, with `element` and its line in the message.
std::string normalized_ranges(std::string_view text, xml::Where where, std::string_view element);

/// The numbers themselves; the same errors.
std::set<uint32_t> ids_of(std::string_view text, xml::Where where, std::string_view element);
/// Ascending ranges, `1-2,4,8`.
std::string text_of(const std::set<uint32_t>& ids);

} // namespace vireo::qemu
