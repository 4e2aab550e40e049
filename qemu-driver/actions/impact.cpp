// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/impact.hpp"

#include "libshared/error.hpp"

namespace vireo::qemu::actions {

namespace {

// virDomainModificationImpact
constexpr std::uint32_t live_flag = 1;
constexpr std::uint32_t config_flag = 2;

} // namespace

Impact impact_of(const Domain& domain, std::uint32_t flags) {
    const std::uint32_t unknown = flags & ~(live_flag | config_flag);
    if (unknown != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags ({:#x}): there are LIVE (1) and CONFIG (2)",
                    unknown);
    }
    if (flags == 0) {
        return domain.active() ? Impact{true, false} : Impact{false, true};
    }
    const Impact impact{(flags & live_flag) != 0, (flags & config_flag) != 0};
    if (impact.live && !domain.active()) {
        throw Error(ErrorCode::operation_invalid, "domain is not running");
    }
    if (impact.config && !domain.persistent) {
        throw Error(ErrorCode::operation_invalid,
                    "transient domains do not have any persistent config");
    }
    return impact;
}

Impact read_impact_of(const Domain& domain, std::uint32_t flags) {
    const Impact impact = impact_of(domain, flags);
    if (impact.live && impact.config) {
        throw Error(ErrorCode::invalid_arg,
                    "flags LIVE (1) and CONFIG (2) exclude each other where something is read");
    }
    return impact;
}

} // namespace vireo::qemu::actions
