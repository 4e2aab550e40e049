// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/stats_record.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

namespace vireo::qemu::actions {

namespace {

/// A field's name, and QEMU's.
struct Field {
    const char* name;
    const char* qemu_name;
};

/// Fields of QEMU's BlockDeviceStats.
constexpr std::array<Field, 8> block_fields{{{"rd.reqs", "rd_operations"},
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

/// QEMU's ImageInfo of a node, or null.
const nlohmann::json* image_of(const nlohmann::json& nodes, const std::string& name) {
    for (const nlohmann::json& node : nodes) {
        if (node.value("node-name", std::string()) == name && node.contains("image")) {
            return &node.at("image");
        }
    }
    return nullptr;
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

    void add_header(const std::string& target, const std::string& path) {
        add("name", StatsValue(target));
        if (!path.empty()) {
            add("path", StatsValue(path));
        }
    }

    void add_requests(const nlohmann::json& entry) {
        for (const auto& [name, qemu_name] : block_fields) {
            add(name, StatsValue(entry.at("stats").at(qemu_name).get<std::uint64_t>()));
        }
        add("allocation", highest_offset(entry));
    }

    void add_sizes(const DiskImage& image, const nlohmann::json& nodes) {
        if (!image.index) {
            return;
        }
        const auto* format = image_of(nodes, fmt::format("libvirt-{}-format", *image.index));
        const auto* storage = image_of(nodes, fmt::format("libvirt-{}-storage", *image.index));
        if (format != nullptr) {
            add("capacity", StatsValue(format->at("virtual-size").get<std::uint64_t>()));
        }
        if (storage != nullptr) { // one that is not thin tells no size of its own
            const char* size = storage->contains("actual-size") ? "actual-size" : "virtual-size";
            add("physical", StatsValue(storage->at(size).get<std::uint64_t>()));
        }
    }

  private:
    StatsRecord& record_;
    std::string prefix_;
};

} // namespace

void add_stopped_blocks(StatsRecord& record, const DomainSummary& domain, bool backing) {
    const std::size_t count_at = record.size();
    record.emplace_back("block.count", std::uint32_t{0});
    std::uint32_t count = 0;
    for (const DomainSummary::Image& image : domain.images) {
        if (backing || !image.backing) {
            BlockFields(record, count++).add_header(image.target, image.path);
        }
    }
    record[count_at].second = count;
}

void add_blocks(StatsRecord& record,
                const DomainDef& live,
                const RunningGuest& running,
                bool backing) {
    const std::size_t count_at = record.size();
    record.emplace_back("block.count", std::uint32_t{0});
    std::uint32_t count = 0;
    for (const DiskDef& disk : live.devices.disks) {
        const DiskImage* image = &disk.image;
        for (bool top = true; image != nullptr && (top || backing); top = false) {
            BlockFields fields(record, count++);
            fields.add_header(disk.target.dev, local_path(*image).value_or(""));
            if (image->index) {
                fields.add("backingIndex", StatsValue(*image->index));
            }
            const auto* entry =
                top ? stats_of_device(running.answers.blockstats, disk.info.alias.value_or(""))
                    : nullptr;
            if (entry != nullptr) {
                fields.add_requests(*entry);
            }
            fields.add_sizes(*image, running.answers.nodes);
            image = image->base();
        }
    }
    record[count_at].second = count;
}

} // namespace vireo::qemu::actions
