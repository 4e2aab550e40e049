// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Readers of the host's CPUs, memory and firmware tables.
namespace vireo::qemu {

struct HostCpu {
    uint32_t id = 0;
    bool online = true;
    std::optional<uint32_t> socket, die, core; ///< known of online CPUs only
    std::string siblings;                      ///< threads of the same core, as ranges
};

struct HostPages {
    uint64_t size_kib = 0;
    uint64_t count = 0;
};

/// A NUMA node; a host without NUMA has one, number 0.
struct HostCell {
    uint32_t id = 0;
    uint64_t memory_kib = 0;
    std::vector<HostPages> pages;                         ///< smallest first
    std::vector<std::pair<uint32_t, uint32_t>> distances; ///< to each node, itself included
    std::vector<HostCpu> cpus;
};

struct HostInfo {
    std::string arch; ///< uname's machine
    std::string cpu_vendor;
    std::string cpu_model_name;
    std::vector<HostCell> cells;
    bool iommu = false;
    std::vector<std::string> sleep_states; ///< of "suspend_mem", "suspend_disk", "suspend_hybrid"
    std::optional<std::string> uuid;       ///< of the machine, lower case
};

HostInfo read_host_info(const Sysfs& sysfs);

/// All CPUs that are there, whether each is online.
std::vector<bool> read_cpu_map(const Sysfs& sysfs);

/// Time since boot in nanoseconds by kind, of one CPU or (`cpu` < 0) of all:
/// "kernel", "user", "idle", "iowait". Throws invalid_arg when there is no such CPU online.
std::map<std::string, uint64_t> read_cpu_stats(int cpu, const Sysfs& sysfs);

/// The SMBIOS strings of the host as `<sysinfo type='smbios'>`, from /sys/class/dmi/id, which needs
/// no privilege but for serial numbers; what cannot be read is left out.
/// Throws no_support when the host has no such tables.
std::string sysinfo_xml(const Sysfs& sysfs);

} // namespace vireo::qemu
