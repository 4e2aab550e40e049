// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/tools/launch_environment.hpp"

#include "qemu-driver/capabilities/firmware.hpp"
#include "qemu-driver/devices/graphics_ports.hpp"
#include "qemu-driver/devices/select_firmware.hpp"
#include "qemu-driver/model/assign_aliases.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vireo::qemu {

using nlohmann::json;

namespace {

LaunchSettings settings(const json& driver) {
    LaunchSettings settings;
    settings.seccomp_sandbox = driver.value("seccomp_sandbox", true);
    settings.dump_guest_core = driver.value("dump_guest_core", false);
    settings.log_timestamp = driver.value("log_timestamp", true);
    settings.pass_chardev_files = driver.value("stdio_handler", "") == "logd";
    settings.vnc_tls = driver.value("vnc_tls", false);
    settings.vnc_tls_x509_verify = driver.value("vnc_tls_x509_verify", false);
    settings.vnc_sasl = driver.value("vnc_sasl", false);
    settings.vnc_tls_x509_cert_dir = driver.value("vnc_tls_x509_cert_dir", "");
    settings.spice_tls = driver.value("spice_tls", false);
    settings.spice_sasl = driver.value("spice_sasl", false);
    settings.spice_password =
        driver.contains("spice_password") && !driver["spice_password"].is_null();
    settings.spice_tls_x509_cert_dir = driver.value("spice_tls_x509_cert_dir", "");
    settings.chardev_tls = driver.value("chardev_tls", false);
    settings.chardev_tls_x509_verify = driver.value("chardev_tls_x509_verify", false);
    settings.chardev_tls_x509_cert_dir = driver.value("chardev_tls_x509_cert_dir", "");
    settings.nbd_tls_x509_cert_dir = driver.value("nbd_tls_x509_cert_dir", "");
    settings.gluster_debug_level = driver.value("gluster_debug_level", 4U);
    return settings;
}

/// Seconds east of Greenwich of a POSIX time zone like VIR00:30, whose hours count westwards.
int64_t utc_offset(const std::string& zone) {
    const auto digits = zone.find_first_of("+-0123456789");
    if (digits == std::string::npos) {
        return 0;
    }
    const int hours = std::stoi(zone.substr(digits));
    const auto colon = zone.find(':');
    const int minutes = colon == std::string::npos ? 0 : std::stoi(zone.substr(colon + 1));
    return -(int64_t{hours} * 3600 + (zone[digits] == '-' ? -minutes : minutes) * 60);
}

/// Where the descriptors lie, the folder that wins first: the user's, /etc, /usr.
std::vector<std::filesystem::path> firmware_folders(const json& host) {
    std::vector<std::filesystem::path> user, others;
    const json folders = host.value("firmwareDirs", json::object());
    for (const auto& [meant, real] : folders.items()) {
        (meant.starts_with("/home") ? user : others).emplace_back(real.get<std::string>());
    }
    // JSON's members come sorted: /etc before /usr.
    user.insert(user.end(), others.begin(), others.end());
    return user;
}

} // namespace

LaunchFacts launch_facts(const json& environment, const DomainDef& def) {
    const json& driver = environment.at("driver");
    const json& host = environment.at("host");
    constexpr size_t longest = 20; // libvirt cuts names of folders
    const std::string guest = fmt::format(
        "{}-{}", environment.at("domain").at("id").get<int>(), def.name.substr(0, longest));
    LaunchFacts facts;
    facts.settings = settings(driver);
    facts.private_dir = driver.at("lib_dir").get<std::string>() + "/domain-" + guest;
    facts.channel_dir = driver.at("channel_target_dir").get<std::string>();
    facts.memory_backing_dir = driver.at("memory_backing_dir").get<std::string>() + "/" + guest;
    facts.state_dir = driver.at("state_dir").get<std::string>();
    for (const json& mount : driver.at("hugetlbfs")) {
        HugePageDir dir;
        dir.size_kib = mount.at("sizeKiB").get<uint64_t>();
        dir.path = mount.at("mount").get<std::string>() + "/libvirt/qemu/" + guest;
        dir.is_default = mount.at("default").get<bool>();
        facts.huge_pages.push_back(std::move(dir));
    }
    facts.master_key_file = facts.private_dir + "/master-key.aes";
    facts.emulator = environment.at("qemu").at("binary").get<std::string>();
    facts.now_s = host.at("time").get<int64_t>();
    facts.utc_offset_s = utc_offset(host.at("timezone").get<std::string>());
    facts.start_paused = environment.at("domain").value("startPaused", true);
    facts.numad_advice = host.at("numa").value("numadAdvice", "");
    facts.cdrom_drives = host.at("hostCdromDevices").get<std::set<std::string>>();
    facts.render_node = host.at("drmRenderNode").get<std::string>();
    if (environment.contains("incoming")) {
        const json& incoming = environment["incoming"];
        facts.incoming = incoming.contains("fd") ? fmt::format("fd:{}", incoming["fd"].get<int>())
                                                 : incoming.at("uri").get<std::string>();
    }
    return facts;
}

std::vector<std::string>
command_line_in(const json& environment, const QemuCapabilities& caps, DomainDef def) {
    const LaunchFacts facts = launch_facts(environment, def);
    const json& driver = environment.at("driver");
    std::vector<std::string> problems;
    select_firmware(def,
                    read_firmware(firmware_folders(environment.at("host")), problems),
                    caps,
                    driver.at("nvram_dir").get<std::string>());
    assign_aliases(def);
    assign_node_numbers(def);
    const json& ports = driver.at("autoPorts");
    assign_graphics_ports(def, facts.settings.spice_tls, [&](PortUse use) {
        constexpr const char* names[] = {"vnc", "vncWebsocket", "spice", "spiceTls"};
        return ports.at(names[static_cast<size_t>(use)]).get<int32_t>();
    });
    return command_line(def, caps, facts);
}

} // namespace vireo::qemu
