// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/host_info.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/capabilities/sys_files.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace vireo::qemu {

namespace fs = std::filesystem;

namespace {

constexpr const char* cpu_dir = "sys/devices/system/cpu";
constexpr const char* node_dir = "sys/devices/system/node";

std::optional<uint32_t> small_number(const fs::path& file) {
    const auto value = read_sys_number(file);
    return value ? std::optional(static_cast<uint32_t>(*value)) : std::nullopt;
}

HostCpu read_cpu(const fs::path& root, uint32_t id) {
    const fs::path dir = root / cpu_dir / ("cpu" + std::to_string(id));
    HostCpu cpu;
    cpu.id = id;
    cpu.online = read_sys_number(dir / "online").value_or(1) != 0; // CPU 0 often has no switch
    if (!cpu.online) {
        return cpu;
    }
    const fs::path topology = dir / "topology";
    cpu.socket = small_number(topology / "physical_package_id").value_or(0);
    cpu.die = small_number(topology / "die_id").value_or(0);
    cpu.core = small_number(topology / "core_id").value_or(0);
    cpu.siblings = read_sys(topology / "thread_siblings_list").value_or(std::to_string(cpu.id));
    return cpu;
}

/// The number after "Name:" in a file like /proc/meminfo.
std::optional<uint64_t> labelled(const fs::path& path, std::string_view label) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto at = line.find(label);
        if (at != std::string::npos && line.compare(at + label.size(), 1, ":") == 0) {
            return std::strtoull(line.c_str() + at + label.size() + 1, nullptr, 10);
        }
    }
    return std::nullopt;
}

/// Huge pages of the host or of one node, and ordinary pages for the rest of the memory.
std::vector<HostPages> read_pages(const fs::path& hugepages, uint64_t memory_kib) {
    std::vector<HostPages> pages;
    uint64_t in_huge_kib = 0;
    std::error_code unreadable; // a kernel without huge pages
    for (const auto& entry : fs::directory_iterator(hugepages, unreadable)) {
        constexpr std::string_view prefix = "hugepages-";
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix)) {
            continue;
        }
        HostPages huge;
        huge.size_kib = std::strtoull(name.c_str() + prefix.size(), nullptr, 10);
        huge.count = read_sys_number(entry.path() / "nr_hugepages").value_or(0);
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

HostCell read_node(const fs::path& root, uint32_t id) {
    const fs::path dir = root / node_dir / ("node" + std::to_string(id));
    HostCell cell;
    cell.id = id;
    cell.memory_kib = labelled(dir / "meminfo", "MemTotal").value_or(0);
    cell.pages = read_pages(dir / "hugepages", cell.memory_kib);
    std::istringstream distances(read_sys(dir / "distance").value_or(""));
    uint32_t to = 0;
    const auto nodes = numbered_entries(root / node_dir, "node");
    for (uint32_t value = 0; distances >> value && to < nodes.size(); ++to) {
        cell.distances.emplace_back(nodes[to], value);
    }
    for (const uint32_t cpu : numbers_in(read_sys(dir / "cpulist").value_or(""))) {
        cell.cpus.push_back(read_cpu(root, cpu));
    }
    if (cell.cpus.empty()) { // a tree without the list has links
        for (const uint32_t cpu : numbered_entries(dir, "cpu")) {
            cell.cpus.push_back(read_cpu(root, cpu));
        }
    }
    return cell;
}

HostCell whole_host(const fs::path& root) {
    HostCell cell;
    cell.memory_kib = labelled(root / "proc/meminfo", "MemTotal").value_or(0);
    cell.pages = read_pages(root / "sys/kernel/mm/hugepages", cell.memory_kib);
    for (const uint32_t cpu : numbered_entries(root / cpu_dir, "cpu")) {
        cell.cpus.push_back(read_cpu(root, cpu));
    }
    return cell;
}

std::string cpuinfo(const fs::path& root, std::string_view label) {
    std::ifstream file(root / "proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        if (line.starts_with(label) && colon != std::string::npos && colon + 2 <= line.size()) {
            return line.substr(colon + 2);
        }
    }
    return {};
}

std::vector<std::string> read_sleep_states(const fs::path& root) {
    std::vector<std::string> states;
    const std::string power = read_sys(root / "sys/power/state").value_or("");
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

HostInfo read_host_info(const fs::path& root) {
    HostInfo host;
    utsname system{};
    if (::uname(&system) == 0) {
        host.arch = system.machine;
    }
    host.cpu_vendor = cpuinfo(root, "vendor_id");
    host.cpu_model_name = cpuinfo(root, "model name");
    for (const uint32_t node : numbered_entries(root / node_dir, "node")) {
        host.cells.push_back(read_node(root, node));
    }
    if (host.cells.empty()) {
        host.cells.push_back(whole_host(root));
    }
    std::error_code unreadable; // no IOMMU support in the kernel
    host.iommu = fs::directory_iterator(root / "sys/kernel/iommu_groups", unreadable) !=
                 fs::directory_iterator();
    host.sleep_states = read_sleep_states(root);
    host.uuid = read_sys(root / "sys/class/dmi/id/product_uuid");
    return host;
}

std::vector<bool> read_cpu_map(const fs::path& root) {
    const auto present = numbers_in(read_sys(root / cpu_dir / "present").value_or("0"));
    const auto online = numbers_in(read_sys(root / cpu_dir / "online").value_or("0"));
    std::vector<bool> map(present.empty() ? 0 : present.back() + 1, false);
    for (const uint32_t cpu : online) {
        if (cpu < map.size()) {
            map[cpu] = true;
        }
    }
    return map;
}

std::map<std::string, uint64_t> read_cpu_stats(int cpu, const fs::path& root) {
    const std::string wanted = cpu < 0 ? "cpu" : "cpu" + std::to_string(cpu);
    std::ifstream file(root / "proc/stat");
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
