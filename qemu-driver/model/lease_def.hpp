// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/parts.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// `<lease>`: a lock that a lock manager takes for the guest while it runs.
namespace vireo::qemu {

struct LeaseDef {
    std::optional<std::string> lockspace;
    std::string key;
    std::string path;
    std::optional<uint64_t> offset_bytes;
    xml::Where where;
};

const xml::Type& describe(const LeaseDef*);

} // namespace vireo::qemu
