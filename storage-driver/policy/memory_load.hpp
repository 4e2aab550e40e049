// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the memory policy decides on, and what it decides. Sizes are bytes.
namespace vireo::storage {

using Microseconds = std::chrono::microseconds;

inline constexpr uint64_t bytes_per_mib = 1 << 20;

/// What an operator allows one guest.
struct GuestLimits {
    uint64_t minimum{};
    uint64_t maximum{};
    uint32_t weight{100};

    bool operator==(const GuestLimits&) const = default;
};

struct HostLoad {
    uint64_t available{}; // what the kernel could give without swapping
    uint64_t reserve{};   // what is to stay available
    bool stalled{};       // tasks have waited for memory since the last round
};

/// A running guest.
struct GuestLoad {
    std::string id;
    GuestLimits limits;
    uint64_t least{}; // what it can be asked to have
    uint64_t most{};
    uint64_t step{};   // by which it follows; 0: nothing can change it now
    uint64_t target{}; // what it is asked to have
    uint64_t current{};
    uint64_t resident{};            // what the host holds for it
    std::optional<uint64_t> usable; // what it could use at once; absent: it has not said lately
    bool pinned{};                  // the host gets nothing back
};

/// `to` is what the guest is to be asked to have.
struct MemoryDecision {
    std::string guest;
    uint64_t from{};
    uint64_t to{};
    std::string reason;

    bool operator==(const MemoryDecision&) const = default;
};

/// A guest that does not follow is left alone for a while; `set` false: no more.
struct MemoryMark {
    std::string guest;
    bool set{};
    std::string reason;

    bool operator==(const MemoryMark&) const = default;
};

/// What the policy has learnt of a guest that did not follow, in one direction. It outlives the
/// daemon, which would otherwise ask in vain once more.
struct StandingMark {
    std::string guest;
    bool shrink{}; // it gave nothing back; else it took nothing
    bool set{};    // it is left alone
    Microseconds until{};
    unsigned times{}; // in vain, in a row

    bool operator==(const StandingMark&) const = default;
};

enum class GuestCondition {
    settled, // it has what it needs
    wanting, // it is short and nothing could be given to it yet
    growing,
    shrinking,
    silent,   // its balloon tells nothing of what it uses
    fixed,    // nothing can change it
    keeping,  // marked: it gives nothing back
    refusing, // marked: it takes nothing
};

std::string_view name_of(GuestCondition condition);

struct MemoryRound {
    std::vector<MemoryDecision> decisions;
    std::vector<MemoryMark> marks;
    /// One for each guest, in the order of their ids.
    std::vector<std::pair<std::string, GuestCondition>> conditions;
};

} // namespace vireo::storage
