// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/host_info.hpp"

#include "libshared/error.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace vireo::qemu {

namespace {

/// /proc/cpuinfo and /proc/stat of a host with thousands of CPUs.
constexpr size_t table_limit = size_t{16} << 20;

constexpr const char* cpu_dir = "/sys/devices/system/cpu";
constexpr const char* node_dir = "/sys/devices/system/node";

std::optional<uint32_t> small_number(const Sysfs& sysfs, const std::string& file) {
    const auto value = sysfs.number(file, 10);
    return value ? std::optional(static_cast<uint32_t>(*value)) : std::nullopt;
}

HostCpu read_cpu(const Sysfs& sysfs, uint32_t id) {
    const std::string dir = fmt::format("{}/cpu{}", cpu_dir, id);
    HostCpu cpu;
    cpu.id = id;
    cpu.online = sysfs.number(dir + "/online", 10).value_or(1) != 0; // CPU 0 often has no switch
    if (!cpu.online) {
        return cpu;
    }
    const std::string topology = dir + "/topology/";
    cpu.socket = small_number(sysfs, topology + "physical_package_id").value_or(0);
    cpu.die = small_number(sysfs, topology + "die_id").value_or(0);
    cpu.core = small_number(sysfs, topology + "core_id").value_or(0);
    cpu.siblings = sysfs.text(topology + "thread_siblings_list").value_or(std::to_string(cpu.id));
    return cpu;
}

/// The number after "Name:" in a file like /proc/meminfo.
std::optional<uint64_t>
labelled(const Sysfs& sysfs, std::string_view path, std::string_view label) {
    std::istringstream file(sysfs.bytes(path, table_limit));
    for (std::string line; std::getline(file, line);) {
        const auto at = line.find(label);
        if (at != std::string::npos && line.compare(at + label.size(), 1, ":") == 0) {
            return std::strtoull(line.c_str() + at + label.size() + 1, nullptr, 10);
        }
    }
    return std::nullopt;
}

/// Huge pages of the host or of one node, and ordinary pages for the rest of the memory.
std::vector<HostPages> read_pages(const Sysfs& sysfs, const std::string& dir, uint64_t memory_kib) {
    std::vector<HostPages> pages;
    uint64_t in_huge_kib = 0;
    constexpr std::string_view prefix = "hugepages-";
    for (const std::string& name : sysfs.names(dir)) { // none: a kernel without huge pages
        if (!name.starts_with(prefix)) {
            continue;
        }
        HostPages huge;
        huge.size_kib = std::strtoull(name.c_str() + prefix.size(), nullptr, 10);
        const auto count = sysfs.number(fmt::format("{}/{}/nr_hugepages", dir, name), 10);
        huge.count = static_cast<uint64_t>(count.value_or(0));
        in_huge_kib += huge.size_kib * huge.count;
        pages.push_back(huge);
    }
    HostPages ordinary;
    ordinary.size_kib = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
    ordinary.count = (memory_kib - std::min(memory_kib, in_huge_kib)) / ordinary.size_kib;
    pages.push_back(ordinary);
    std::sort(pages.begin(), pages.end(), [](const HostPages& a, const HostPages& b) {
        return a.size_kib < b.size_kib;
    });
    return pages;
}

HostCell read_node(const Sysfs& sysfs, uint32_t id) {
    const std::string dir = fmt::format("{}/node{}", node_dir, id);
    HostCell cell;
    cell.id = id;
    cell.memory_kib = labelled(sysfs, dir + "/meminfo", "MemTotal").value_or(0);
    cell.pages = read_pages(sysfs, dir + "/hugepages", cell.memory_kib);
    std::istringstream distances(sysfs.text(dir + "/distance").value_or(""));
    uint32_t to = 0;
    const auto nodes = sysfs.numbered(node_dir, "node");
    for (uint32_t value = 0; distances >> value && to < nodes.size(); ++to) {
        cell.distances.emplace_back(nodes[to], value);
    }
    for (const uint32_t cpu : numbers_in(sysfs.text(dir + "/cpulist").value_or(""))) {
        cell.cpus.push_back(read_cpu(sysfs, cpu));
    }
    if (cell.cpus.empty()) { // a tree without the list has links
        for (const uint32_t cpu : sysfs.numbered(dir, "cpu")) {
            cell.cpus.push_back(read_cpu(sysfs, cpu));
        }
    }
    return cell;
}

HostCell whole_host(const Sysfs& sysfs) {
    HostCell cell;
    cell.memory_kib = labelled(sysfs, "/proc/meminfo", "MemTotal").value_or(0);
    cell.pages = read_pages(sysfs, "/sys/kernel/mm/hugepages", cell.memory_kib);
    for (const uint32_t cpu : sysfs.numbered(cpu_dir, "cpu")) {
        cell.cpus.push_back(read_cpu(sysfs, cpu));
    }
    return cell;
}

std::string cpuinfo(const Sysfs& sysfs, std::string_view label) {
    std::istringstream file(sysfs.bytes("/proc/cpuinfo", table_limit));
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        if (line.starts_with(label) && colon != std::string::npos && colon + 2 <= line.size()) {
            return line.substr(colon + 2);
        }
    }
    return {};
}

std::vector<std::string> read_sleep_states(const Sysfs& sysfs) {
    std::vector<std::string> states;
    const std::string power = sysfs.text("/sys/power/state").value_or("");
    std::istringstream words(power);
    for (std::string word; words >> word;) {
        if (word == "mem") {
            states.emplace_back("suspend_mem");
        } else if (word == "disk") {
            states.emplace_back("suspend_disk");
        }
    }
    return states;
}

} // namespace

HostInfo read_host_info(const Sysfs& sysfs) {
    HostInfo host;
    utsname system{};
    if (::uname(&system) == 0) {
        host.arch = system.machine;
    }
    host.cpu_vendor = cpuinfo(sysfs, "vendor_id");
    host.cpu_model_name = cpuinfo(sysfs, "model name");
    for (const uint32_t node : sysfs.numbered(node_dir, "node")) {
        host.cells.push_back(read_node(sysfs, node));
    }
    if (host.cells.empty()) {
        host.cells.push_back(whole_host(sysfs));
    }
    host.iommu = !sysfs.names("/sys/kernel/iommu_groups").empty();
    host.sleep_states = read_sleep_states(sysfs);
    host.uuid = sysfs.text("/sys/class/dmi/id/product_uuid");
    return host;
}

std::vector<bool> read_cpu_map(const Sysfs& sysfs) {
    const auto present = numbers_in(sysfs.text("/sys/devices/system/cpu/present").value_or("0"));
    const auto online = numbers_in(sysfs.text("/sys/devices/system/cpu/online").value_or("0"));
    std::vector<bool> map(present.empty() ? 0 : present.back() + 1, false);
    for (const uint32_t cpu : online) {
        if (cpu < map.size()) {
            map[cpu] = true;
        }
    }
    return map;
}

std::map<std::string, uint64_t> read_cpu_stats(int cpu, const Sysfs& sysfs) {
    const std::string wanted = cpu < 0 ? "cpu" : "cpu" + std::to_string(cpu);
    std::istringstream file(sysfs.bytes("/proc/stat", table_limit));
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string name;
        uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0;
        words >> name >> user >> nice >> system >> idle >> iowait >> irq >> softirq;
        if (name != wanted || !words) {
            continue;
        }
        const uint64_t tick_ns = 1'000'000'000ULL / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
        std::map<std::string, uint64_t> stats;
        stats["user"] = (user + nice) * tick_ns;
        stats["kernel"] = (system + irq + softirq) * tick_ns;
        stats["idle"] = idle * tick_ns;
        stats["iowait"] = iowait * tick_ns;
        return stats;
    }
    throw Error(ErrorCode::invalid_arg, "no CPU {} is online on this host", cpu);
}

} // namespace vireo::qemu
