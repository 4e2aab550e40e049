// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "libshared/xml/parts.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

/// How the passes refuse a document: with the line of the element, what was found, what to do.
namespace vireo::qemu {

/// `line 12: <disk>: …`; without the line where the element did not come from a document.
std::string located(xml::Where where, std::string_view element, std::string_view what);

/// Throws config_unsupported: what is said is well-formed, but cannot work.
template <class... A>
[[noreturn]] void
refuse(xml::Where where, std::string_view element, fmt::format_string<A...> form, A&&... args) {
    throw Error(ErrorCode::config_unsupported,
                "{}",
                located(where, element, fmt::format(form, std::forward<A>(args)...)));
}

} // namespace vireo::qemu
