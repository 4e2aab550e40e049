// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/codec.hpp"
#include "qemu-driver/domain.hpp"

namespace vireo::bus {

/// A domain in an answer is its path. Lists of thousands are written without a copy of any.
template <>
struct Codec<qemu::DomainPtr> {
    static constexpr FixedString<2> signature = "o";

    static void append(sd_bus_message* message, const qemu::DomainPtr& domain) {
        Codec<ObjectPath>::append(message, domain->path);
    }
};

} // namespace vireo::bus
