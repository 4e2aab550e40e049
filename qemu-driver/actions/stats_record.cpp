// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/stats_record.hpp"

#include <fmt/format.h>

#include <unistd.h>

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

/// Fields of QEMU's BlockDeviceStats.
constexpr std::array<Counter, 8> block_counters{{{"rd.reqs", "rd_operations"},
                                                 {"rd.bytes", "rd_bytes"},
                                                 {"rd.times", "rd_total_time_ns"},
                                                 {"wr.reqs", "wr_operations"},
                                                 {"wr.bytes", "wr_bytes"},
                                                 {"wr.times", "wr_total_time_ns"},
                                                 {"fl.reqs", "flush_operations"},
                                                 {"fl.times", "flush_total_time_ns"}}};

/// QEMU names a device by its id, or by the path of a part of it that has none.
bool names_device(const std::string& qdev, const std::string& alias) {
    constexpr std::string_view folder = "/machine/peripheral/";
    return qdev == alias || qdev.starts_with(fmt::format("{}{}/", folder, alias)) ||
           qdev == fmt::format("{}{}", folder, alias);
}

const nlohmann::json* stats_of_device(const nlohmann::json& blockstats, const std::string& alias) {
    for (const nlohmann::json& entry : blockstats) {
        if (names_device(entry.value("qdev", std::string()), alias)) {
            return &entry;
        }
    }
    return nullptr;
}

/// Highest byte that was written to the lowest node of an image, where its bytes are.
std::optional<std::uint64_t> highest_offset(const nlohmann::json& entry) {
    const nlohmann::json* node = &entry;
    while (node->contains("parent")) {
        node = &node->at("parent");
    }
    const auto stats = node->find("stats");
    if (stats == node->end() || !stats->contains("wr_highest_offset")) {
        return std::nullopt;
    }
    return stats->at("wr_highest_offset").get<std::uint64_t>();
}

std::optional<std::uint64_t> virtual_size(const nlohmann::json& nodes, const std::string& name) {
    for (const nlohmann::json& node : nodes) {
        if (node.value("node-name", std::string()) == name && node.contains("image")) {
            return node.at("image").at("virtual-size").get<std::uint64_t>();
        }
    }
    return std::nullopt;
}

std::optional<std::string> path_of(const DiskImage& image) {
    if (const auto* file = std::get_if<FileSource>(&image.source)) {
        return file->path;
    }
    if (const auto* block = std::get_if<BlockSource>(&image.source)) {
        return block->path;
    }
    return std::nullopt;
}

/// Adds the fields of one image under `block.N.`.
class BlockFields {
  public:
    BlockFields(StatsRecord& record, std::size_t number)
        : record_(record), prefix_(fmt::format("block.{}.", number)) {}

    void add(std::string_view field, StatsValue value) {
        record_.emplace_back(fmt::format("{}{}", prefix_, field), std::move(value));
    }

    void add(std::string_view field, std::optional<std::uint64_t> value) {
        if (value) {
            add(field, StatsValue(*value));
        }
    }

    void add_header(const DiskDef& disk, const DiskImage& image) {
        add("name", StatsValue(disk.target.dev));
        if (const auto path = path_of(image)) {
            add("path", StatsValue(*path));
        }
        if (image.index) {
            add("backingIndex", StatsValue(*image.index));
        }
    }

    void add_requests(const nlohmann::json& entry) {
        for (const Counter& counter : block_counters) {
            add(counter.field, StatsValue(entry.at("stats").at(counter.file).get<std::uint64_t>()));
        }
        add("allocation", highest_offset(entry));
    }

    void add_sizes(const DiskImage& image, const nlohmann::json& nodes) {
        if (!image.index) {
            return;
        }
        add("capacity", virtual_size(nodes, fmt::format("libvirt-{}-format", *image.index)));
        add("physical", virtual_size(nodes, fmt::format("libvirt-{}-storage", *image.index)));
    }

  private:
    StatsRecord& record_;
    std::string prefix_;
};

} // namespace

void add_state(StatsRecord& record, StateReason state) {
    record.emplace_back("state.state", static_cast<std::int32_t>(state.state));
    record.emplace_back("state.reason", static_cast<std::int32_t>(state.reason));
}

void add_cpu_total(StatsRecord& record, const RunningGuest* running) {
    if (running == nullptr) {
        return;
    }
    if (const auto times = process_times(process_folder(*running) / "stat")) {
        record.emplace_back("cpu.time", times->user_ns + times->system_ns);
        record.emplace_back("cpu.user", times->user_ns);
        record.emplace_back("cpu.system", times->system_ns);
    }
}

void add_balloon(StatsRecord& record, const DomainDef& def) {
    record.emplace_back("balloon.current", def.memory.current_kib.value_or(def.memory.total_kib));
    record.emplace_back("balloon.maximum", def.memory.total_kib);
}

void add_vcpus(StatsRecord& record, const DomainDef& def, const RunningGuest* running) {
    record.emplace_back("vcpu.current", def.vcpus.current.value_or(def.vcpus.maximum));
    record.emplace_back("vcpu.maximum", def.vcpus.maximum);
    if (running == nullptr) {
        return;
    }
    constexpr std::int32_t vcpu_running = 1; // VIR_VCPU_RUNNING
    for (const nlohmann::json& cpu : running->answers.cpus) {
        const std::string prefix = fmt::format("vcpu.{}.", cpu.at("cpu-index").get<unsigned>());
        const auto thread = cpu.at("thread-id").get<pid_t>();
        record.emplace_back(prefix + "state", vcpu_running);
        const fs::path tasks = process_folder(*running) / "task";
        if (const auto times = process_times(tasks / std::to_string(thread) / "stat")) {
            record.emplace_back(prefix + "time", times->user_ns + times->system_ns);
        }
    }
}

void add_interfaces(StatsRecord& record, const DomainDef& def, const RunningGuest* running) {
    if (running == nullptr) {
        return;
    }
    const std::vector<InterfaceDef>& interfaces = def.devices.interfaces;
    record.emplace_back("net.count", static_cast<std::uint32_t>(interfaces.size()));
    for (std::size_t i = 0; i < interfaces.size(); ++i) {
        const std::optional<std::string>& name = interfaces[i].target_dev;
        if (!name) { // user-mode networking: no device of the host
            continue;
        }
        record.emplace_back(fmt::format("net.{}.name", i), *name);
        const fs::path counters = running->root / "sys/class/net" / *name / "statistics";
        for (const Counter& counter : tap_counters) {
            if (const auto value = read_counter(counters / counter.file)) {
                record.emplace_back(fmt::format("net.{}.{}", i, counter.field), *value);
            }
        }
    }
}

void add_blocks(StatsRecord& record,
                const DomainDef& def,
                const RunningGuest* running,
                bool backing) {
    const std::size_t count_at = record.size();
    record.emplace_back("block.count", std::uint32_t{0});
    std::uint32_t count = 0;
    for (const DiskDef& disk : def.devices.disks) {
        const DiskImage* image = &disk.image;
        for (bool top = true; image != nullptr && (top || backing); top = false) {
            BlockFields fields(record, count++);
            fields.add_header(disk, *image);
            if (running != nullptr) {
                const auto* entry =
                    top ? stats_of_device(running->answers.blockstats, disk.info.alias.value_or(""))
                        : nullptr;
                if (entry != nullptr) {
                    fields.add_requests(*entry);
                }
                fields.add_sizes(*image, running->answers.nodes);
            }
            image = image->base();
        }
    }
    record[count_at].second = count;
}

} // namespace vireo::qemu::actions
