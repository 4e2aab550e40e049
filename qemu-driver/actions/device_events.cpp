// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/device_events.hpp"

#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <algorithm>

namespace vireo::qemu::actions {

namespace {

using nlohmann::json;

/// The disk whose image has this node; QEMU's events name a node of the chain.
const DiskDef* disk_of_node(const DomainDef& def, std::string_view node) {
    const auto owns = [&](const DiskDef& disk) {
        for (const DiskImage* image = &disk.image; image != nullptr;
             image = image->backing ? &*image->backing : nullptr) {
            const std::string prefix = fmt::format("libvirt-{}-", image->index.value_or(0));
            if (image->index && node.starts_with(prefix)) {
                return true;
            }
        }
        return false;
    };
    const auto found = std::ranges::find_if(def.devices.disks, owns);
    return found == def.devices.disks.end() ? nullptr : &*found;
}

/// virDomainEventIOErrorAction: none, pause, report.
std::int32_t io_error_action(const std::string& action) {
    if (action == "stop") {
        return 1;
    }
    return action == "report" ? 2 : 0;
}

using GraphicsAddress = std::tuple<std::int32_t, std::string, std::string>;

/// virDomainEventGraphicsAddressType: ipv4, ipv6, unix.
GraphicsAddress graphics_address(const json& peer) {
    const std::string family = peer.value("family", "");
    std::int32_t number = 0;
    if (family == "ipv6") {
        number = 1;
    } else if (family == "unix") {
        number = 2;
    }
    return {number, peer.value("host", ""), peer.value("service", "")};
}

void tell_of_vnc(Driver& driver, const Domain& domain, const json& data, std::int32_t phase) {
    const json& client = data.at("client");
    std::vector<std::tuple<std::string, std::string>> identities;
    for (const auto& [key, type] :
         {std::pair("x509_dname", "x509dname"), std::pair("sasl_username", "saslUsername")}) {
        if (client.contains(key)) {
            identities.emplace_back(type, client.at(key).get<std::string>());
        }
    }
    driver.events.device(domain,
                         "Graphics",
                         phase,
                         graphics_address(data.at("server")),
                         graphics_address(client),
                         data.at("server").value("auth", ""),
                         identities);
}

} // namespace

void tell_of_io_error(Driver& driver, const Domain& domain, const json& data) {
    const DiskDef* disk = disk_of_node(*domain.guest->live, data.value("node-name", ""));
    driver.events.device(domain,
                         "IOError",
                         disk == nullptr ? std::string() : local_path(disk->image).value_or(""),
                         disk == nullptr ? data.value("device", "") : disk->info.alias.value_or(""),
                         io_error_action(data.value("action", "")),
                         std::string(data.value("nospace", false) ? "enospc" : ""));
}

void tell_of_balloon(Driver& driver, const DomainPtr& domain, const json& data) {
    DomainDef live = *domain->guest->live;
    // QEMU's balloon knows nothing of virtio-mem.
    const auto kib = data.at("actual").get<std::uint64_t>() / 1024 + virtio_mem_kib(live);
    live.memory.current_kib = kib;
    domain->guest->live = std::make_shared<const DomainDef>(std::move(live));
    driver.events.device(*domain, "BalloonChange", kib);
    tell_of_memory(driver, *domain);
}

void tell_of_clock(Driver& driver, const DomainPtr& domain, const json& data) {
    driver.events.device(*domain, "RTCChange", data.at("offset").get<std::int64_t>());
}

void tell_of_agent(Driver& driver, const DomainPtr& domain, const json& data) {
    const std::string alias = data.at("id").get<std::string>();
    const auto& channels = domain->guest->live->devices.channels;
    const auto found = std::ranges::find_if(
        channels, [&](const ChannelDef& channel) { return channel.info.alias == alias; });
    if (found == channels.end() || found->target_name != "org.qemu.guest_agent.0") {
        return;
    }
    // virConnectDomainEventAgentLifecycleState: connected 1, disconnected 2; reason: channel 2
    const std::int32_t state = data.at("open").get<bool>() ? 1 : 2;
    driver.events.device(*domain, "AgentEvent", state, std::int32_t{2});
}

void tell_of_vnc_connected(Driver& driver, const DomainPtr& domain, const json& data) {
    tell_of_vnc(driver, *domain, data, 0);
}

void tell_of_vnc_initialized(Driver& driver, const DomainPtr& domain, const json& data) {
    tell_of_vnc(driver, *domain, data, 1);
}

void tell_of_vnc_disconnected(Driver& driver, const DomainPtr& domain, const json& data) {
    tell_of_vnc(driver, *domain, data, 2);
}

} // namespace vireo::qemu::actions
