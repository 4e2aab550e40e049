// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/parts.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace vireo::storage {

/// `<permissions>` of a pool's folder, a volume's file or its backing file. -1: not given.
struct Permissions {
    int64_t mode = -1;
    int64_t owner = -1;
    int64_t group = -1;
    std::optional<std::string> label;

    bool operator==(const Permissions&) const = default;
};

const xml::Type& describe(const Permissions*);

} // namespace vireo::storage
