// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <vector>

/// `<resource>`, `<idmap>` and `<perf>`: where the guest stands on the host, and what is counted
/// there.
namespace vireo::qemu {

struct ResourceDef {
    /// The control group that the guest's own is made in.
    std::optional<std::string> partition;
    /// VMID that Fibre Channel frames of the guest carry.
    std::optional<std::string> fibrechannel_appid;
};

/// `count` ids of the guest from `start` on are those of the host from `target` on.
struct IdMapping {
    uint32_t start{};
    uint32_t target{};
    uint32_t count{};
};

struct IdmapDef {
    std::vector<IdMapping> uids;
    std::vector<IdMapping> gids;
};

enum class PerfEventName {
    cmt,
    mbmt,
    mbml,
    cpu_cycles,
    instructions,
    cache_references,
    cache_misses,
    branch_instructions,
    branch_misses,
    bus_cycles,
    stalled_cycles_frontend,
    stalled_cycles_backend,
    ref_cpu_cycles,
    cpu_clock,
    task_clock,
    page_faults,
    context_switches,
    cpu_migrations,
    page_faults_min,
    page_faults_maj,
    alignment_faults,
    emulation_faults
};

struct PerfEvent {
    PerfEventName name{};
    YesNo enabled{};
    xml::Where where;
};

const xml::Type& describe(const ResourceDef*);
const xml::Type& describe(const IdmapDef*);
const xml::Type& describe(const PerfEvent*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::PerfEventName> {
    static constexpr std::array<std::string_view, 22> names{"cmt",
                                                            "mbmt",
                                                            "mbml",
                                                            "cpu_cycles",
                                                            "instructions",
                                                            "cache_references",
                                                            "cache_misses",
                                                            "branch_instructions",
                                                            "branch_misses",
                                                            "bus_cycles",
                                                            "stalled_cycles_frontend",
                                                            "stalled_cycles_backend",
                                                            "ref_cpu_cycles",
                                                            "cpu_clock",
                                                            "task_clock",
                                                            "page_faults",
                                                            "context_switches",
                                                            "cpu_migrations",
                                                            "page_faults_min",
                                                            "page_faults_maj",
                                                            "alignment_faults",
                                                            "emulation_faults"};
};
