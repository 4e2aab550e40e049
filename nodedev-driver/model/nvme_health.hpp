// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vireo::nodedev {

/// What a drive warns of: the bits of Critical Warning, in their order.
enum class HealthWarning {
    spare_below_threshold,
    temperature,
    reliability_degraded,
    read_only,
    volatile_memory_backup_failed,
    persistent_memory_unreliable
};

/// A controller's SMART / Health Information. Counters of 128 bits that do not fit stand at the
/// largest number; temperatures are kelvin, as the drive gives them.
struct NvmeHealth {
    std::vector<HealthWarning> warnings;
    uint32_t temperature_kelvin{};
    uint32_t available_spare_percent{};
    uint32_t spare_threshold_percent{};
    /// Of the life that the maker expects; may pass 100 and ends at 255.
    uint32_t used_percent{};
    /// The drive counts in units of 512,000 bytes, rounded up.
    uint64_t bytes_read{};
    uint64_t bytes_written{};
    uint64_t host_reads{};
    uint64_t host_writes{};
    uint64_t busy_minutes{};
    uint64_t power_cycles{};
    uint64_t power_on_hours{};
    uint64_t unsafe_shutdowns{};
    uint64_t media_errors{};
    uint64_t error_log_entries{};
    uint64_t warm_minutes{};
    uint64_t hot_minutes{};
    /// Of the sensors that there are, by their numbers less one; 0 for one in between that is not.
    std::vector<uint64_t> sensors_kelvin;

    bool operator==(const NvmeHealth&) const = default;
};

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::HealthWarning> {
    static constexpr std::array<std::string_view, 6> names{"spare-below-threshold",
                                                           "temperature",
                                                           "reliability-degraded",
                                                           "read-only",
                                                           "volatile-memory-backup-failed",
                                                           "persistent-memory-unreliable"};
};
