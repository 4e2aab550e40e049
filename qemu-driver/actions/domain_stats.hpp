// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/actions/stats_record.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Statistics of domains. They never wait for a change that goes on, and for a guest's QEMU 500 ms
/// at most: a record is without what it did not say. Stopped domains are answered from memory, and
/// from their definitions where a group needs those.
///
/// `stats`: virDomainStatsTypes, 0 for all. `flags`: virConnectGetAllDomainStatsFlags. Throws
/// invalid_arg naming unknown flags, argument_unsupported where ENFORCE asks for a group that is
/// not served.
namespace vireo::qemu::actions {

struct DomainStats {
    DomainPtr domain;
    StatsRecord record;
};

/// Of one domain; no flags that select domains.
Task<StatsRecord>
domain_stats(Driver& driver, DomainPtr domain, std::uint32_t stats, std::uint32_t flags);

/// Of all domains that `flags` select, in the order of their names. All guests are asked at once.
Task<std::vector<DomainStats>>
all_domain_stats(Driver& driver, std::uint32_t stats, std::uint32_t flags);

} // namespace vireo::qemu::actions
