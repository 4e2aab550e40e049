// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/launch/scsi_devices.hpp"

#include "qemu-driver/launch/hostdev_failure.hpp"

namespace vireo::qemu {

namespace {

/// `scsi_host2` and its address as the kernel writes them: `2:0:1:0`.
std::string kernel_address(const HostdevDef& hostdev, const ScsiHostdev& scsi) {
    constexpr std::string_view prefix = "scsi_host";
    const std::string adapter = scsi.adapter.value_or("");
    const auto number = adapter.starts_with(prefix)
                            ? parse_number(std::string_view(adapter).substr(prefix.size()), 10)
                            : std::nullopt;
    if (!number || !scsi.address) {
        fail_hostdev(
            hostdev,
            fmt::format("<adapter name='{}'/> is no SCSI host: take its name among the node "
                        "devices, like scsi_host0",
                        adapter));
    }
    return fmt::format(
        "{}:{}:{}:{}", *number, scsi.address->bus, scsi.address->target, scsi.address->unit);
}

std::string generic_device(const HostdevDef& hostdev, const ScsiHostdev& scsi, const Sysfs& host) {
    const std::string address = kernel_address(hostdev, scsi);
    const std::string folder = "/sys/bus/scsi/devices/" + address;
    if (!host.exists(folder)) {
        fail_hostdev(hostdev, fmt::format("the host has no SCSI device {}", address));
    }
    const auto names = host.names(folder + "/scsi_generic");
    if (names.empty()) {
        fail_hostdev(
            hostdev,
            fmt::format("SCSI device {} has no generic device: load the kernel's module 'sg'",
                        address));
    }
    return "/dev/" + names.front();
}

} // namespace

std::map<std::string, ScsiHostNode>
find_scsi_devices(const DomainDef& live, const Sysfs& host, uint32_t last_node) {
    std::map<std::string, ScsiHostNode> nodes;
    for (const HostdevDef& hostdev : live.devices.hostdevs) {
        const auto* scsi = std::get_if<ScsiHostdev>(&hostdev.source);
        if (scsi == nullptr) {
            continue;
        }
        ScsiHostNode node{.number = ++last_node, .generic = {}};
        if (scsi->protocol != ScsiProtocol::iscsi) {
            node.generic = generic_device(hostdev, *scsi, host);
        }
        nodes.emplace(hostdev.info.alias.value_or(""), std::move(node));
    }
    return nodes;
}

} // namespace vireo::qemu
