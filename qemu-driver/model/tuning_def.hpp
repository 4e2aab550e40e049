// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// `<cputune>`, `<memtune>`, `<blkiotune>`, `<numatune>`: limits and placement on the host.
namespace vireo::qemu {

struct VcpuPin {
    uint32_t vcpu{};
    std::string cpuset;
    xml::Where where{};
};

struct IothreadPin {
    uint32_t iothread{};
    std::string cpuset;
    xml::Where where{};
};

enum class SchedulerPolicy { other, batch, idle, fifo, rr };

struct EmulatorScheduler {
    SchedulerPolicy scheduler{};
    std::optional<int32_t> priority;
    xml::Where where{};
};

struct VcpuScheduler : EmulatorScheduler {
    /// Ranges of vCPUs.
    std::string ids;
};

struct IothreadScheduler : EmulatorScheduler {
    /// Ranges of I/O threads.
    std::string ids;
};

enum class CacheType { both, code, data };

struct CacheTuneCache {
    uint32_t id{};
    uint32_t level{};
    CacheType type{};
    uint64_t size_kib{};
    xml::Where where{};
};

struct CacheTuneMonitor {
    uint32_t level{};
    std::string vcpus;
    xml::Where where{};
};

struct CacheTune {
    std::string vcpus;
    std::optional<std::string> id;
    std::vector<CacheTuneCache> caches;
    std::vector<CacheTuneMonitor> monitors;
    xml::Where where{};
};

struct MemoryTuneNode {
    uint32_t id{};
    uint32_t bandwidth{};
    xml::Where where{};
};

struct MemoryTuneMonitor {
    std::string vcpus;
    xml::Where where{};
};

struct MemoryTune {
    std::string vcpus;
    std::vector<MemoryTuneNode> nodes;
    std::vector<MemoryTuneMonitor> monitors;
    xml::Where where{};
};

/// Periods and quotas in µs.
struct CputuneDef {
    std::optional<uint64_t> shares;
    std::optional<uint64_t> period_us;
    std::optional<int64_t> quota_us;
    std::optional<uint64_t> global_period_us;
    std::optional<int64_t> global_quota_us;
    std::optional<uint64_t> emulator_period_us;
    std::optional<int64_t> emulator_quota_us;
    std::optional<uint64_t> iothread_period_us;
    std::optional<int64_t> iothread_quota_us;
    std::vector<VcpuPin> vcpu_pins;
    std::optional<std::string> emulator_pin;
    std::vector<IothreadPin> iothread_pins;
    std::optional<EmulatorScheduler> emulator_scheduler;
    std::vector<VcpuScheduler> vcpu_schedulers;
    std::vector<IothreadScheduler> iothread_schedulers;
    std::vector<CacheTune> cache_tunes;
    std::vector<MemoryTune> memory_tunes;
    xml::Where where;
};

struct MemtuneDef {
    std::optional<uint64_t> hard_limit_kib;
    std::optional<uint64_t> soft_limit_kib;
    std::optional<uint64_t> min_guarantee_kib;
    std::optional<uint64_t> swap_hard_limit_kib;
};

struct BlkioDevice {
    std::string path;
    std::optional<uint32_t> weight;
    std::optional<uint64_t> read_bytes_sec;
    std::optional<uint64_t> write_bytes_sec;
    std::optional<uint32_t> read_iops_sec;
    std::optional<uint32_t> write_iops_sec;
    xml::Where where{};
};

struct BlkiotuneDef {
    std::optional<uint32_t> weight;
    std::vector<BlkioDevice> devices;
    xml::Where where;
};

enum class NumaMode { strict, preferred, interleave, restrictive };

enum class NumaPlacement { static_, auto_ };

struct NumaMemory {
    std::optional<NumaMode> mode;
    std::optional<NumaPlacement> placement;
    std::optional<std::string> nodeset;
    xml::Where where{};
};

struct NumaMemnode {
    uint32_t cell{};
    NumaMode mode{};
    std::string nodeset;
    xml::Where where{};
};

struct NumatuneDef {
    std::optional<NumaMemory> memory;
    std::vector<NumaMemnode> memnodes;
    xml::Where where;
};

const xml::Type& describe(const CputuneDef*);
const xml::Type& describe(const MemtuneDef*);
const xml::Type& describe(const BlkiotuneDef*);
const xml::Type& describe(const NumatuneDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::SchedulerPolicy> {
    static constexpr std::array<std::string_view, 5> names{"other", "batch", "idle", "fifo", "rr"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CacheType> {
    static constexpr std::array<std::string_view, 3> names{"both", "code", "data"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::NumaMode> {
    static constexpr std::array<std::string_view, 4> names{
        "strict", "preferred", "interleave", "restrictive"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::NumaPlacement> {
    static constexpr std::array<std::string_view, 2> names{"static", "auto"};
};
