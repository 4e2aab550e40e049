// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace vireo::nodedev {

namespace {

/// World Wide Names are shown without the kernel's 0x.
std::string without_prefix(std::string name) {
    return name.starts_with("0x") ? name.substr(2) : name;
}

std::optional<FcHost> fc_host(const SysDevice& device, const std::string& folder) {
    const auto read = [&](const char* name) {
        return without_prefix(device.sysfs().text(fmt::format("{}/{}", folder, name)).value_or(""));
    };
    FcHost host{
        .wwnn = read("node_name"), .wwpn = read("port_name"), .fabric_wwn = read("fabric_name")};
    return host.wwnn.empty() || host.wwpn.empty() ? std::nullopt : std::optional(std::move(host));
}

/// Kernels have had the virtual ports' attributes in either class.
std::optional<VportOps> vport_ops(const SysDevice& device) {
    for (const char* kind : {"fc_host", "scsi_host"}) {
        const std::string folder = fmt::format("/sys/class/{}/{}", kind, device.sysname());
        const auto most = device.sysfs().number(folder + "/max_npiv_vports", 10);
        const auto now = device.sysfs().number(folder + "/npiv_vports_inuse", 10);
        if (device.sysfs().exists(folder + "/vport_create") && most && now) {
            return VportOps{.max_vports = static_cast<uint32_t>(*most),
                            .vports = static_cast<uint32_t>(*now)};
        }
    }
    return std::nullopt;
}

std::optional<NodeDevice> probe_host(const SysDevice& device) {
    const auto number = parse_number(device.sysname().substr(std::string_view("host").size()), 10);
    if (!device.sysname().starts_with("host") || !number) {
        return std::nullopt;
    }
    ScsiHostCapability host;
    host.host = static_cast<uint32_t>(*number);
    const auto unique =
        device.sysfs().number(fmt::format("/sys/class/scsi_host/{}/unique_id", device.sysname()));
    host.unique_id = static_cast<int32_t>(unique.value_or(-1));
    host.fc_host = fc_host(device, "/sys/class/fc_host/" + device.sysname());
    host.vport_ops = vport_ops(device);
    NodeDevice node = base_device(device);
    node.capability = std::move(host);
    return node;
}

/// `rport-1:0-0`, the remote port among the folders above a target.
std::optional<FcRemotePort> remote_port(const SysDevice& device) {
    const auto begin = device.path().rfind("/rport-");
    if (begin == std::string::npos) {
        return std::nullopt;
    }
    const auto end = device.path().find('/', begin + 1);
    FcRemotePort port{.rport = device.path().substr(begin + 1, end - begin - 1), .wwpn = {}};
    port.wwpn = device.sysfs()
                    .text(fmt::format("/sys/class/fc_remote_ports/{}/port_name", port.rport))
                    .value_or("");
    return port.wwpn.empty() ? std::nullopt : std::optional(std::move(port));
}

std::optional<NodeDevice> probe_target(const SysDevice& device) {
    NodeDevice node = base_device(device);
    node.capability =
        ScsiTargetCapability{.target = device.sysname(), .remote_port = remote_port(device)};
    return node;
}

/// Peripheral device types in libvirt's words. Source: SCSI Primary Commands, "PERIPHERAL DEVICE
/// TYPE"; linux/include/scsi/scsi_proto.h.
std::string type_word(std::optional<int64_t> type) {
    constexpr std::array words{"disk",
                               "tape",
                               "",
                               "processor",
                               "worm",
                               "cdrom",
                               "scanner",
                               "mod",
                               "changer",
                               "",
                               "",
                               "",
                               "raid",
                               "enclosure"};
    return type && *type >= 0 && *type < static_cast<int64_t>(words.size())
               ? words.at(static_cast<size_t>(*type))
               : "";
}

std::optional<NodeDevice> probe_unit(const SysDevice& device) {
    std::array<uint32_t, 4> parts{};
    std::string_view rest = device.sysname();
    for (uint32_t& part : parts) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part);
        const bool last = &part == &parts.back();
        const auto used = static_cast<size_t>(end - rest.data());
        if (error != std::errc() || (last ? used != rest.size() : rest.substr(used, 1) != ":")) {
            return std::nullopt;
        }
        rest.remove_prefix(last ? used : used + 1);
    }
    NodeDevice node = base_device(device);
    node.capability = ScsiCapability{.host = parts[0],
                                     .bus = parts[1],
                                     .target = parts[2],
                                     .lun = parts[3],
                                     .type = type_word(device.number("type"))};
    return node;
}

} // namespace

std::optional<NodeDevice> probe_scsi(const ProbeSources&, const SysDevice& device) {
    const std::string type = device.property("DEVTYPE");
    if (type == "scsi_host") {
        return probe_host(device);
    }
    if (type == "scsi_target") {
        return probe_target(device);
    }
    return type == "scsi_device" ? probe_unit(device) : std::nullopt;
}

std::optional<NodeDevice> probe_scsi_generic(const ProbeSources&, const SysDevice& device) {
    const auto devnode = device.devnode();
    if (!devnode) {
        return std::nullopt;
    }
    NodeDevice node = base_device(device);
    node.capability = ScsiGenericCapability{.character = *devnode};
    return node;
}

} // namespace vireo::nodedev
