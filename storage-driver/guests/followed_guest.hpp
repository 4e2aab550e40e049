// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

/// Running guests as qemud tells of them: what storaged needs of org.vireo.Domain1, in bytes.
namespace vireo::storage {

/// A NUMA cell of the host (-1: any), and of it size, requested, current, balloon and locked.
using PromiseRow = std::tuple<int32_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t>;

struct FollowedGuest {
    std::string uuid;
    std::string name;
    uint64_t minimum{};
    uint64_t maximum{};
    uint64_t step{};
    uint64_t target{};
    uint64_t current{};
    /// Empty while it does not run.
    std::vector<PromiseRow> promises;

    bool pinned() const noexcept;
};

/// By the path of their org.vireo.Domain1.
using FollowedGuests = std::map<std::string, FollowedGuest>;

/// Takes what is in an `a{sv}` of Domain1's properties, the message's next argument; passes over
/// what it does not need. Throws system_error where the message is not made so.
void take_properties(sd_bus_message* message, FollowedGuest& guest);

/// What all of them were promised, a row for each cell that has part in it, in the order of cells.
std::vector<PromiseRow> sum_of_promises(const FollowedGuests& guests);

} // namespace vireo::storage
