// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain_summary.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/state.hpp"

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

/// A domain's statistics under libvirt's field names and with its types. Times are nanoseconds,
/// memory is KiB, everything else bytes or counts. Source of the names: the documentation of
/// virConnectGetAllDomainStats.
namespace vireo::qemu::actions {

using StatsValue =
    std::variant<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, std::string>;
using StatsRecord = std::vector<std::pair<std::string, StatsValue>>;

/// virDomainStatsTypes that are served.
namespace stats_group {

inline constexpr std::uint32_t state = 1;
inline constexpr std::uint32_t cpu_total = 2;
inline constexpr std::uint32_t balloon = 4;
inline constexpr std::uint32_t vcpu = 8;
inline constexpr std::uint32_t interface = 16;
inline constexpr std::uint32_t block = 32;
inline constexpr std::uint32_t perf = 64; // has fields for enabled events alone: none here
inline constexpr std::uint32_t iothread = 128;
inline constexpr std::uint32_t memory = 256; // has fields for resource monitors alone: none here
inline constexpr std::uint32_t dirty_rate = 512;
inline constexpr std::uint32_t all = 1023;

} // namespace stats_group

/// What a guest's QEMU said; null where it was not asked or did not answer in time.
struct GuestAnswers {
    nlohmann::json balloon;    // the balloon's guest-stats
    nlohmann::json cpus;       // query-cpus-fast
    nlohmann::json blockstats; // query-blockstats
    nlohmann::json nodes;      // query-named-block-nodes
    nlohmann::json iothreads;  // query-iothreads
    nlohmann::json dirty_rate; // query-dirty-rate
};

/// A running guest as its statistics see it.
struct RunningGuest {
    pid_t pid = 0;
    GuestAnswers answers;
    std::filesystem::path root = "/"; // of /proc and /sys
};

void add_state(StatsRecord& record, StateReason state);

void add_cpu_total(StatsRecord& record, const RunningGuest& running);
/// `running`: null where the domain is stopped, whose record has only what its definition says.
void add_balloon(StatsRecord& record, const DomainSummary& domain, const RunningGuest* running);
void add_vcpus(StatsRecord& record, const DomainSummary& domain, const RunningGuest* running);
void add_interfaces(StatsRecord& record, const DomainDef& live, const RunningGuest& running);
/// `backing`: the images below each disk's too.
void add_stopped_blocks(StatsRecord& record, const DomainSummary& domain, bool backing);
void add_blocks(StatsRecord& record,
                const DomainDef& live,
                const RunningGuest& running,
                bool backing);
void add_iothreads(StatsRecord& record, const RunningGuest& running);
void add_dirty_rate(StatsRecord& record, const RunningGuest& running);

} // namespace vireo::qemu::actions
