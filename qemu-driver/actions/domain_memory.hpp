// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <map>

/// A domain's memory as its balloon changes it, and its number of vCPUs.
namespace vireo::qemu::actions {

/// What the guest is to have altogether, in KiB: its balloon gives or takes what virtio-mem has not
/// plugged. With MAXIMUM (4) the memory at the next start; the other flags are
/// virDomainModificationImpact's. Throws invalid_arg past the domain's memory or what its balloon
/// can do, operation_invalid where the guest has no balloon or a running one's maximum is to
/// change.
Task<void> set_memory(Driver& driver, DomainPtr domain, std::uint64_t kib, std::uint32_t flags);

/// How often the guest is asked for its statistics, in seconds; 0: never. Throws as set_memory().
Task<void> set_memory_stats_period(Driver& driver,
                                   DomainPtr domain,
                                   std::int32_t seconds,
                                   std::uint32_t flags);

/// By virDomainMemoryStatTags; KiB but for counts and the time. Throws operation_invalid where the
/// domain is not running.
Task<std::map<std::int32_t, std::uint64_t>> memory_stats(Driver& driver, DomainPtr domain);

/// Of the guest or of its definition, by virDomainVcpuFlags: with MAXIMUM (4) the most it can have.
std::uint32_t vcpu_count(Driver& driver, Domain& domain, std::uint32_t flags);

} // namespace vireo::qemu::actions
