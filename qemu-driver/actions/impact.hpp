// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain.hpp"

#include <cstdint>

namespace vireo::qemu::actions {

/// What a call with virDomainModificationImpact flags is about: the running guest, the stored
/// definition, or both.
struct Impact {
    bool live;
    bool config;
};

/// Without a flag: the guest where it runs, else the definition. Throws invalid_arg naming flags
/// other than LIVE (1) and CONFIG (2), operation_invalid where the domain is not what they ask for.
Impact impact_of(const Domain& domain, std::uint32_t flags);

/// The same for a call that only reads, and cannot read two things at once.
Impact read_impact_of(const Domain& domain, std::uint32_t flags);

} // namespace vireo::qemu::actions
