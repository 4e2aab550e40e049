// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/stats_record.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>

namespace vireo::qemu::actions {

namespace fs = std::filesystem;

namespace {

struct ProcessTimes {
    std::uint64_t user_ns;
    std::uint64_t system_ns;
};

/// Of a process or a thread, from its `stat` file; nothing where it has ended. Source: proc(5).
std::optional<ProcessTimes> process_times(const fs::path& stat) {
    std::ifstream file(stat);
    std::string line;
    std::getline(file, line);
    const std::size_t end_of_name = line.rfind(')'); // the name may hold blanks and parentheses
    if (end_of_name == std::string::npos) {
        return std::nullopt;
    }
    constexpr int fields_before_utime = 11; // state is the first after the name
    std::istringstream fields(line.substr(end_of_name + 1));
    std::string ignored;
    for (int i = 0; i < fields_before_utime; ++i) {
        fields >> ignored;
    }
    std::uint64_t user_ticks = 0;
    std::uint64_t system_ticks = 0;
    if (!(fields >> user_ticks >> system_ticks)) {
        return std::nullopt;
    }
    const std::uint64_t tick_ns =
        1'000'000'000ULL / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    return ProcessTimes{user_ticks * tick_ns, system_ticks * tick_ns};
}

/// Nanoseconds that a thread waited for a processor. Source: Linux, Documentation/scheduler.
std::optional<std::uint64_t> run_delay(const fs::path& schedstat) {
    std::ifstream file(schedstat);
    std::uint64_t on_processor = 0;
    std::uint64_t waited = 0;
    return file >> on_processor >> waited ? std::optional(waited) : std::nullopt;
}

fs::path process_folder(const RunningGuest& running) {
    return running.root / "proc" / std::to_string(running.pid);
}

std::optional<std::uint64_t> read_counter(const fs::path& path) {
    std::ifstream file(path);
    std::uint64_t value = 0;
    return file >> value ? std::optional(value) : std::nullopt;
}

/// The host's side of an interface: what it received is what the guest sent.
struct Counter {
    const char* field;
    const char* file;
};

constexpr std::array<Counter, 8> tap_counters{{{"rx.bytes", "tx_bytes"},
                                               {"rx.pkts", "tx_packets"},
                                               {"rx.errs", "tx_errors"},
                                               {"rx.drop", "tx_dropped"},
                                               {"tx.bytes", "rx_bytes"},
                                               {"tx.pkts", "rx_packets"},
                                               {"tx.errs", "rx_errors"},
                                               {"tx.drop", "rx_dropped"}}};

/// virDomainMemoryStatTags by QEMU's names of the balloon's statistics, which are bytes but for
/// counts of faults. Source: the VirtIO specification, "memory statistics tags".
struct BalloonField {
    const char* field;
    const char* stat;
    std::uint64_t unit;
};

constexpr std::array<BalloonField, 10> balloon_fields{{{"swap_in", "stat-swap-in", 1024},
                                                       {"swap_out", "stat-swap-out", 1024},
                                                       {"major_fault", "stat-major-faults", 1},
                                                       {"minor_fault", "stat-minor-faults", 1},
                                                       {"unused", "stat-free-memory", 1024},
                                                       {"available", "stat-total-memory", 1024},
                                                       {"usable", "stat-available-memory", 1024},
                                                       {"disk_caches", "stat-disk-caches", 1024},
                                                       {"hugetlb_pgalloc", "stat-htlb-pgalloc", 1},
                                                       {"hugetlb_pgfail", "stat-htlb-pgfail", 1}}};

void add_guest_memory(StatsRecord& record, const nlohmann::json& balloon) {
    const auto stats = balloon.find("stats");
    if (stats == balloon.end()) {
        return;
    }
    constexpr auto unknown = UINT64_MAX; // what the guest has not told
    for (const BalloonField& field : balloon_fields) {
        const std::uint64_t value = stats->value(field.stat, unknown);
        if (value != unknown) {
            record.emplace_back(fmt::format("balloon.{}", field.field), value / field.unit);
        }
    }
    record.emplace_back("balloon.last-update", balloon.value("last-update", std::uint64_t{0}));
}

/// Resident memory of a process in KiB, from its `statm` file. Source: proc(5).
std::optional<std::uint64_t> resident_kib(const fs::path& statm) {
    std::ifstream file(statm);
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (!(file >> size >> resident)) {
        return std::nullopt;
    }
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

} // namespace

void add_state(StatsRecord& record, StateReason state) {
    record.emplace_back("state.state", static_cast<std::int32_t>(state.state));
    record.emplace_back("state.reason", static_cast<std::int32_t>(state.reason));
}

void add_cpu_total(StatsRecord& record, const RunningGuest& running) {
    if (const auto times = process_times(process_folder(running) / "stat")) {
        record.emplace_back("cpu.time", times->user_ns + times->system_ns);
        record.emplace_back("cpu.user", times->user_ns);
        record.emplace_back("cpu.system", times->system_ns);
    }
}

void add_balloon(StatsRecord& record, const DomainSummary& domain, const RunningGuest* running) {
    record.emplace_back("balloon.current", domain.current_memory_kib);
    record.emplace_back("balloon.maximum", domain.memory_kib);
    if (running == nullptr) {
        return;
    }
    add_guest_memory(record, running->answers.balloon);
    if (const auto kib = resident_kib(process_folder(*running) / "statm")) {
        record.emplace_back("balloon.rss", *kib);
    }
}

void add_vcpus(StatsRecord& record, const DomainSummary& domain, const RunningGuest* running) {
    record.emplace_back("vcpu.current", domain.current_vcpus);
    record.emplace_back("vcpu.maximum", domain.vcpus);
    if (running == nullptr) {
        return;
    }
    constexpr std::int32_t vcpu_running = 1; // VIR_VCPU_RUNNING
    for (const nlohmann::json& cpu : running->answers.cpus) {
        const std::string prefix = fmt::format("vcpu.{}.", cpu.at("cpu-index").get<unsigned>());
        const fs::path thread =
            process_folder(*running) / "task" / std::to_string(cpu.at("thread-id").get<pid_t>());
        record.emplace_back(prefix + "state", vcpu_running);
        if (const auto times = process_times(thread / "stat")) {
            record.emplace_back(prefix + "time", times->user_ns + times->system_ns);
        }
        if (const auto delay = run_delay(thread / "schedstat")) {
            record.emplace_back(prefix + "delay", *delay);
        }
    }
}

void add_interfaces(StatsRecord& record, const DomainDef& live, const RunningGuest& running) {
    const std::vector<InterfaceDef>& interfaces = live.devices.interfaces;
    record.emplace_back("net.count", static_cast<std::uint32_t>(interfaces.size()));
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        const std::optional<std::string>& name = interfaces[i].target_dev;
        if (!name) { // user-mode networking: no device of the host
            continue;
        }
        record.emplace_back(fmt::format("net.{}.name", i), *name);
        const fs::path counters = running.root / "sys/class/net" / *name / "statistics";
        for (const Counter& counter : tap_counters) {
            if (const auto value = read_counter(counters / counter.file)) {
                record.emplace_back(fmt::format("net.{}.{}", i, counter.field), *value);
            }
        }
    }
}

void add_iothreads(StatsRecord& record, const RunningGuest& running) {
    constexpr std::string_view prefix = "iothread";
    const std::size_t count_at = record.size();
    record.emplace_back("iothread.count", std::uint32_t{0});
    std::uint32_t count = 0;
    for (const nlohmann::json& thread : running.answers.iothreads) {
        const std::string id = thread.at("id").get<std::string>();
        if (!id.starts_with(prefix)) { // none of the definition's
            continue;
        }
        ++count;
        const std::string fields = fmt::format("iothread.{}.", id.substr(prefix.size()));
        record.emplace_back(fields + "poll-max-ns", thread.at("poll-max-ns").get<std::uint64_t>());
        record.emplace_back(fields + "poll-grow", thread.at("poll-grow").get<std::uint32_t>());
        record.emplace_back(fields + "poll-shrink", thread.at("poll-shrink").get<std::uint32_t>());
    }
    record[count_at].second = count;
}

void add_dirty_rate(StatsRecord& record, const RunningGuest& running) {
    // virDomainDirtyRateStatus
    static constexpr std::array<std::string_view, 3> states{"unstarted", "measuring", "measured"};
    const nlohmann::json& rate = running.answers.dirty_rate;
    if (!rate.is_object()) {
        return;
    }
    const auto* state = std::ranges::find(states, rate.at("status").get<std::string>());
    if (state == states.end()) {
        return;
    }
    record.emplace_back("dirtyrate.calc_status", static_cast<std::int32_t>(state - states.begin()));
    record.emplace_back("dirtyrate.calc_start_time", rate.at("start-time").get<std::int64_t>());
    record.emplace_back("dirtyrate.calc_period", rate.at("calc-time").get<std::int32_t>());
    record.emplace_back("dirtyrate.calc_mode", rate.value("mode", "page-sampling"));
    if (rate.contains("dirty-rate")) {
        record.emplace_back("dirtyrate.megabytes_per_second",
                            rate.at("dirty-rate").get<std::int64_t>());
    }
    if (rate.contains("vcpu-dirty-rate")) {
        for (const nlohmann::json& cpu : rate.at("vcpu-dirty-rate")) {
            record.emplace_back(
                fmt::format("dirtyrate.vcpu.{}.megabytes_per_second", cpu.at("id").get<int>()),
                cpu.at("dirty-rate").get<std::int64_t>());
        }
    }
}

} // namespace vireo::qemu::actions
