// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/policy/memory_load.hpp"

#include <map>
#include <optional>
#include <string>

namespace vireo::storage {

/// What an operator has set of the memory policy; it outlives the daemon and the host's boot.
struct PolicySettings {
    bool enabled = false;
    /// Bytes of the host that stay available; absent: a part of its memory, see default_reserve.
    std::optional<uint64_t> reserve;
    /// Between two looks at the guests.
    Microseconds interval = std::chrono::seconds(10);
    /// By UUID.
    std::map<std::string, GuestLimits> guests;

    bool operator==(const PolicySettings&) const = default;
};

/// Where nobody chose: a sixteenth of the host's memory, at least 256 MiB and at most 16 GiB.
uint64_t default_reserve(uint64_t total);

/// Throw invalid_arg naming what is wrong. `uuid` is given back in its usual form.
std::string checked_uuid(const std::string& uuid);
void check_limits(const GuestLimits& limits);
void check_interval(Microseconds interval);

/// As text, and back. Throws parse_failed for what is no such text, invalid_arg for values that
/// could not have been set.
std::string format_settings(const PolicySettings& settings);
PolicySettings parse_settings(const std::string& text);

} // namespace vireo::storage
