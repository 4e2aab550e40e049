// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/launch_environment.hpp"

#include "qemu-driver/capabilities/firmware.hpp"
#include "qemu-driver/devices/graphics_ports.hpp"
#include "qemu-driver/devices/seal_secret.hpp"
#include "qemu-driver/devices/select_firmware.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/guest_cpu.hpp"
#include "tools/environment_storage.hpp"
#include "tools/recorded_cpu_models.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace vireo::qemu {

using nlohmann::json;

namespace {

std::optional<std::string> text_or_none(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? std::nullopt
                                                     : std::optional(found->get<std::string>());
}

/// `000102…` as bytes.
template <size_t size>
std::array<uint8_t, size> bytes_of(const std::string& hex) {
    std::array<uint8_t, size> bytes{};
    for (size_t i = 0; i < size; ++i) {
        bytes.at(i) = static_cast<uint8_t>(std::stoul(hex.substr(2 * i, 2), nullptr, 16));
    }
    return bytes;
}

/// Each secret has the same value, so that what is made from it can be compared.
SecretFacts secret_facts(const json& secrets) {
    SecretFacts facts;
    facts.value = [value = secrets.at("value").get<std::string>()](const SecretReference&) {
        return value;
    };
    facts.seal = [key = bytes_of<sizeof(MasterKey)>(secrets.at("masterKey")),
                  iv = bytes_of<sizeof(SealIv)>(secrets.at("iv"))](std::string_view text) {
        return seal_secret(text, key, iv);
    };
    return facts;
}

/// `nodes`: how many block nodes have a number already.
void add_host_devices(const json& environment,
                      const DomainDef& def,
                      uint32_t nodes,
                      LaunchFacts& facts) {
    const json& host = environment.at("host");
    for (const HostdevDef& hostdev : def.devices.hostdevs) {
        if (hostdev.type() == HostdevType::scsi && hostdev.info.alias) {
            facts.scsi_nodes[*hostdev.info.alias] = {++nodes, host.at("scsiGenericOfEveryHostdev")};
        }
    }
    facts.numa_nodes = host.at("numa").at("nodes").get<std::set<uint32_t>>();
    for (const json& version : host.at("swtpm").at("versions")) {
        if (const auto known = xml::enum_of<TpmVersion>(version.get<std::string>())) {
            facts.tpm_versions.insert(*known);
        }
    }
    facts.tpm_socket = host.at("swtpm").at("socket").get<std::string>();
    for (const auto& [group, numbers] : environment.at("fds").at("groups").items()) {
        facts.fd_groups[group] = static_cast<unsigned>(numbers.size());
    }
}

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
    settings.vnc_auto_unix_socket = driver.value("vnc_auto_unix_socket", false);
    settings.spice_auto_unix_socket = driver.value("spice_auto_unix_socket", false);
    settings.vnc_tls_x509_secret_uuid = text_or_none(driver, "vnc_tls_x509_secret_uuid");
    settings.spice_tls = driver.value("spice_tls", false);
    settings.spice_sasl = driver.value("spice_sasl", false);
    settings.spice_password =
        driver.contains("spice_password") && !driver["spice_password"].is_null();
    settings.spice_tls_x509_cert_dir = driver.value("spice_tls_x509_cert_dir", "");
    settings.chardev_tls = driver.value("chardev_tls", false);
    settings.chardev_tls_x509_verify = driver.value("chardev_tls_x509_verify", false);
    settings.chardev_tls_x509_cert_dir = driver.value("chardev_tls_x509_cert_dir", "");
    settings.chardev_tls_x509_secret_uuid = text_or_none(driver, "chardev_tls_x509_secret_uuid");
    settings.nbd_tls_x509_secret_uuid = text_or_none(driver, "nbd_tls_x509_secret_uuid");
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

void settle_cpu(DomainDef& def, const QemuCapabilities& caps) {
    const bool kvm = def.type == DomainType::kvm;
    if (def.cpu && host_cpu(caps, kvm)) {
        const CpuModels models = tool::recorded_cpu_models();
        resolve_cpu(*def.cpu, {*host_cpu(caps, kvm), caps.cpu_models(kvm), models});
    }
}

} // namespace

LaunchFacts launch_facts(const json& environment, const DomainDef& def, uint32_t nodes) {
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
    facts.dbus_socket =
        fmt::format("{}/dbus/{}-dbus.sock", driver.at("state_dir").get<std::string>(), guest);
    facts.passt_prefix =
        fmt::format("{}/passt/{}", driver.at("state_dir").get<std::string>(), guest);
    for (const json& mount : driver.at("hugetlbfs")) {
        HugePageDir dir;
        dir.size_kib = mount.at("sizeKiB").get<uint64_t>();
        dir.path = mount.at("mount").get<std::string>() + "/libvirt/qemu/" + guest;
        dir.is_default = mount.at("default").get<bool>();
        facts.huge_pages.push_back(std::move(dir));
    }
    facts.master_key_file = facts.private_dir + "/master-key.aes";
    facts.secrets = secret_facts(environment.at("secrets"));
    facts.emulator = environment.at("qemu").at("binary").get<std::string>();
    facts.now_s = host.at("time").get<int64_t>();
    facts.utc_offset_s = utc_offset(host.at("timezone").get<std::string>());
    facts.start_paused = environment.at("domain").value("startPaused", true);
    facts.numad_advice = host.at("numa").value("numadAdvice", "");
    facts.cdrom_drives = host.at("hostCdromDevices").get<std::set<std::string>>();
    facts.render_node = host.at("drmRenderNode").get<std::string>();
    add_host_devices(environment, def, nodes, facts);
    if (environment.contains("incoming")) {
        const json& incoming = environment["incoming"];
        facts.incoming = incoming.contains("fd") ? fmt::format("fd:{}", incoming["fd"].get<int>())
                                                 : incoming.at("uri").get<std::string>();
    }
    return facts;
}

std::vector<std::string>
command_line_in(const json& environment, const QemuCapabilities& caps, DomainDef def) {
    const json& driver = environment.at("driver");
    std::vector<std::string> problems;
    select_firmware(def,
                    read_firmware(firmware_folders(environment.at("host")), problems),
                    caps,
                    driver.at("nvram_dir").get<std::string>());
    resolve_volumes(environment, def);
    settle_cpu(def, caps);
    assign_aliases(def);
    const uint32_t nodes = assign_node_numbers(def);
    const LaunchFacts facts = launch_facts(environment, def, nodes);
    if (def.devices.vsock && def.devices.vsock->auto_cid == YesNo::yes) {
        def.devices.vsock->cid = environment.at("host").at("vsockAutoCid").get<uint32_t>();
    }
    use_automatic_sockets(def, facts.settings);
    const json& ports = driver.at("autoPorts");
    assign_graphics_ports(def, facts.settings.spice_tls, [&](PortUse use) {
        constexpr const char* names[] = {"vnc", "vncWebsocket", "spice", "spiceTls"};
        return ports.at(names[static_cast<size_t>(use)]).get<int32_t>();
    });
    return command_line(def, caps, facts);
}

} // namespace vireo::qemu
