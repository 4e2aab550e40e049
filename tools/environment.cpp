// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/environment.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/capabilities/probe.hpp"

#include <fstream>

namespace vireo::qemu {

namespace {

using nlohmann::json;

std::ifstream open_file(const std::string& path) {
    std::ifstream file(path);
    if (!file) {
        throw Error(ErrorCode::read_failed, "cannot read '{}'", path);
    }
    return file;
}

json read_json(const std::string& path) {
    std::ifstream file = open_file(path);
    try {
        return json::parse(file);
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "'{}' is not JSON: {}", path, e.what());
    }
}

/// A recorded conversation: each command followed by QEMU's answer; `qmp_capabilities` begins one
/// of its two parts (with the best accelerator, and with TCG).
QemuCapabilities replay(const std::string& binary, const std::string& path) {
    std::ifstream file = open_file(path);
    std::vector<ProbeReply> parts[2];
    std::size_t part = 0;
    bool begun = false;
    json command, answer;
    try {
        while (file >> std::ws && !file.eof()) {
            file >> command >> answer;
            std::string name = command.at("execute");
            if (name == "qmp_capabilities") {
                part = begun ? 1 : 0;
                begun = true;
                continue;
            }
            parts[part].push_back({.execute = std::move(name),
                                   .arguments = command.value("arguments", json()),
                                   .answer = answer});
        }
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "'{}' is not a QMP conversation: {}", path, e.what());
    }
    return capabilities_from_replies(binary, parts[0], parts[1]);
}

std::optional<AudioType> audio_driver(const json& process_env) {
    const auto found = process_env.find("QEMU_AUDIO_DRV");
    if (found == process_env.end() || !found->is_string()) {
        return std::nullopt;
    }
    const std::string name = *found;
    return xml::enum_of<AudioType>(name == "pa" ? "pulseaudio" : name);
}

/// Where nobody has set it, the driver's own default holds.
void take_unless_null(const json& setting, std::string& value) {
    if (!setting.is_null()) {
        value = setting;
    }
}

} // namespace

Environment load_environment(const std::string& path) {
    Environment env;
    env.settings = read_json(path);
    try {
        const json& qemu = env.settings.at("qemu");
        const json& driver = env.settings.at("driver");
        const json& host = env.settings.at("host");
        env.qemu =
            std::make_shared<const QemuCapabilities>(replay(qemu.at("binary"), qemu.at("replies")));
        HostFacts& facts = env.facts;
        facts.qemu = env.qemu;
        facts.arch = host.at("arch");
        facts.emulators = qemu.at("emulators").get<std::map<std::string, std::string>>();
        facts.kvm = host.at("kvm");
        facts.page_kib = host.at("pageSizeKiB");
        facts.expand_machine_aliases = qemu.at("machineAliasesExpanded");
        facts.nvram_dir = driver.at("nvram_dir");
        take_unless_null(driver.at("vnc_listen"), facts.vnc_listen);
        take_unless_null(driver.at("spice_listen"), facts.spice_listen);
        facts.vnc_auto_unix_socket = driver.at("vnc_auto_unix_socket");
        facts.spice_auto_unix_socket = driver.at("spice_auto_unix_socket");
        facts.vnc_allow_host_audio = driver.at("vnc_allow_host_audio");
        facts.nographics_allow_host_audio = driver.at("nographics_allow_host_audio");
        facts.host_audio = audio_driver(host.at("processEnv"));
        for (const json& mount : driver.at("hugetlbfs")) {
            facts.huge_pages.push_back({.size_kib = mount.at("sizeKiB"),
                                        .path = mount.at("mount"),
                                        .is_default = mount.at("default")});
        }
        // The same bytes each time: what is chosen at random can be compared.
        facts.random_bytes = [](std::span<uint8_t> out) {
            uint8_t next = 0;
            for (uint8_t& byte : out) {
                byte = next++;
            }
        };
    } catch (const json::exception& e) {
        throw Error(ErrorCode::parse_failed, "'{}' is not an environment: {}", path, e.what());
    }
    return env;
}

} // namespace vireo::qemu
