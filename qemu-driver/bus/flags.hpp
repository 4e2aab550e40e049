// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"

#include <cstdint>

namespace vireo::qemu {

/// Of members for which no flag is defined.
inline void require_no_flags(std::uint32_t flags) {
    if (flags != 0) {
        throw Error(ErrorCode::invalid_arg, "unsupported flags ({:#x})", flags);
    }
}

} // namespace vireo::qemu
