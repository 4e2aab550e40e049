// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/firmware.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <map>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// A descriptor is a page of text; more is a mistake.
constexpr size_t most_bytes = 1 << 20;

void read_flash(const json& mapping, FirmwareFacts& facts) {
    facts.mode = mapping.value("mode", "split");
    facts.executable = mapping.at("executable").at("filename").get<std::string>();
    facts.executable_format = mapping.at("executable").at("format").get<std::string>();
    if (facts.mode == "split") {
        facts.nvram_template = mapping.at("nvram-template").at("filename").get<std::string>();
        facts.nvram_format = mapping.at("nvram-template").at("format").get<std::string>();
    }
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        throw Error(
            ErrorCode::open_failed, "firmware descriptor '{}' cannot be read", path.string());
    }
    std::string text(most_bytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > most_bytes) {
        throw Error(ErrorCode::config_unsupported,
                    "firmware descriptor '{}' is larger than {} bytes",
                    path.string(),
                    most_bytes);
    }
    return text;
}

} // namespace

std::vector<std::filesystem::path> firmware_dirs(const std::filesystem::path& config_home) {
    std::vector<std::filesystem::path> dirs;
    if (!config_home.empty()) {
        dirs.push_back(config_home / "qemu/firmware");
    }
    dirs.emplace_back("/etc/qemu/firmware");
    dirs.emplace_back("/usr/share/qemu/firmware");
    return dirs;
}

FirmwareFacts parse_firmware(std::string_view text, const std::string& file) {
    try {
        const json document = json::parse(text);
        FirmwareFacts facts;
        facts.interfaces = document.at("interface-types").get<std::vector<std::string>>();
        const json& mapping = document.at("mapping");
        facts.device = mapping.at("device").get<std::string>();
        if (facts.device == "flash") {
            read_flash(mapping, facts);
        } else {
            facts.executable = mapping.at("filename").get<std::string>();
        }
        for (const json& entry : document.at("targets")) {
            FirmwareFacts::Target target;
            target.arch = entry.at("architecture").get<std::string>();
            target.machines = entry.at("machines").get<std::vector<std::string>>();
            facts.targets.push_back(std::move(target));
        }
        facts.features = document.at("features").get<std::set<std::string>>();
        return facts;
    } catch (const json::exception& e) {
        throw Error(ErrorCode::config_unsupported, "firmware descriptor '{}': {}", file, e.what());
    }
}

std::vector<FirmwareFacts> read_firmware(std::span<const std::filesystem::path> dirs,
                                         std::vector<std::string>& problems) {
    std::map<std::string, std::filesystem::path> files; // by name: the order of the search
    for (const auto& dir : dirs) {
        std::error_code unreadable; // a folder that is not there has no descriptors
        for (const auto& entry : std::filesystem::directory_iterator(dir, unreadable)) {
            const std::string name = entry.path().filename().string();
            if (name.ends_with(".json") && !name.starts_with(".")) {
                files.emplace(name, entry.path());
            }
        }
    }
    std::vector<FirmwareFacts> all;
    for (const auto& [name, path] : files) {
        try {
            const std::string text = read_text(path);
            if (!text.empty()) {
                all.push_back(parse_firmware(text, path.string()));
            }
        } catch (const Error& e) {
            problems.emplace_back(e.what());
        }
    }
    return all;
}

} // namespace vireo::qemu
