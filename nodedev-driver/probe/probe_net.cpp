// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/net_features.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <algorithm>

namespace vireo::nodedev {

NetLink read_net_link(const SysDevice& device) {
    NetLink link;
    link.state =
        xml::enum_of<LinkState>(device.text("operstate").value_or("")).value_or(LinkState::none);
    // Reading the speed of an interface that is down is an error, or gives -1.
    const auto speed = link.state == LinkState::up ? device.number("speed", 10) : std::nullopt;
    if (speed && *speed > 0 && *speed < UINT32_MAX) {
        link.speed_mbit = static_cast<uint32_t>(*speed);
    }
    return link;
}

std::optional<NodeDevice> probe_net(const ProbeSources& sources, const SysDevice& device) {
    NetCapability net;
    net.interface = device.property("INTERFACE");
    if (net.interface.empty()) {
        return std::nullopt;
    }
    net.address = device.text("address").value_or("");
    net.medium =
        NetMedium{device.property("DEVTYPE") == "wlan" ? NetKind::wireless : NetKind::ethernet};
    net.link = read_net_link(device);
    if (sources.sysfs.is_host()) {
        net.features = read_net_features(net.interface);
    }
    if (sources.sysfs.exists(device.path() + "/device/infiniband")) {
        const auto place = std::ranges::lower_bound(net.features, NetFeature::rdma);
        net.features.insert(place, NetFeature::rdma);
    }
    NodeDevice node = base_device(device, net.address);
    node.capability = std::move(net);
    return node;
}

} // namespace vireo::nodedev
