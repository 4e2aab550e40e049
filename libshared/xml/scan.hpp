// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/document.hpp"

#include <string_view>

namespace vireo::xml {

/// Whether `text` is UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing past
/// U+10FFFF. Gives the offset of the first byte that is not part of it, or the size.
std::size_t valid_utf8_prefix(std::string_view text) noexcept;

/// Walks over the markup once, in linear time, and throws xml_error where a limit is passed, at a
/// document type, and at bytes that are not UTF-8. Markup that is not well formed is left for
/// libxml2 to report: the scan ends there, as libxml2 does.
void scan(std::string_view text, const Limits& limits);

} // namespace vireo::xml
