// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>

namespace vireo::qemu {

/// `<reconnect enabled= timeout=/>` of a client's socket; the timeout is in seconds.
struct ReconnectDef {
    std::optional<YesNo> enabled;
    std::optional<uint32_t> timeout_s;
};

const xml::Type& describe(const ReconnectDef*);

} // namespace vireo::qemu
