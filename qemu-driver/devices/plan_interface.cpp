// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_interface.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const InterfaceDef& interface, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "interface '{}': {} is not supported",
                interface.mac.value_or("?"),
                what);
}

/// What the definition may ask for and no plan here gives. Silence would be a promise.
void refuse_unknown(const InterfaceDef& interface) {
    const std::pair<bool, const char*> wishes[] = {
        {interface.virtual_port.has_value(), "<virtualport>"},
        {interface.vlan.has_value(), "<vlan>"},
        {interface.port_isolated.has_value(), "<port>"},
        {interface.filter.has_value(), "<filterref>"},
        {interface.bandwidth.has_value(), "<bandwidth>"},
        {interface.coalesce.has_value(), "<coalesce>"},
        {interface.script.has_value() || interface.downscript.has_value(), "<script>"},
        {interface.backend_domain.has_value(), "<backenddomain>"},
        {!interface.routes.empty(), "<route>"},
    };
    for (const auto& [asked, element] : wishes) {
        if (asked) {
            refuse(interface, element);
        }
    }
}

bool is_virtio(const InterfaceDef& interface) {
    return interface.model && interface.model->starts_with("virtio");
}

VirtioModel virtio_model(const InterfaceDef& interface) {
    if (interface.model == "virtio-transitional") {
        return VirtioModel::virtio_transitional;
    }
    if (interface.model == "virtio-non-transitional") {
        return VirtioModel::virtio_non_transitional;
    }
    return VirtioModel::virtio;
}

/// vhost-net moves packets in the kernel. It needs a virtio card; without KVM it is of no use and
/// is taken only when asked for.
bool uses_vhost(const PlanContext& context, const InterfaceDef& interface) {
    if (!is_virtio(interface) || interface.driver.name == InterfaceBackendDriver::qemu) {
        return false;
    }
    return context.kvm() || interface.driver.name == InterfaceBackendDriver::vhost;
}

/// Writes the properties of the netdev, one function for each kind of source.
class NetdevWriter {
  public:
    NetdevWriter(const PlanContext& context, const InterfaceDef& interface)
        : context_(context), interface_(interface) {}

    json operator()(const UserSource&) const {
        json netdev = of_type("user");
        for (const IpDef& ip : interface_.ips) {
            if (ip.family == "ipv6") {
                netdev["ipv6-prefix"] = ip.address;
                netdev["ipv6-prefixlen"] = ip.prefix.value_or(64);
            } else {
                netdev["net"] =
                    ip.prefix ? fmt::format("{}/{}", ip.address, *ip.prefix) : ip.address;
            }
        }
        return netdev;
    }

    json operator()(const EthernetSource& source) const {
        no_addresses();
        if (!source.ips.empty() || !source.routes.empty()) {
            refuse(interface_, "<ip> or <route> in <source>");
        }
        return tap("");
    }

    json operator()(const BridgeSource& source) const {
        no_addresses();
        return tap(source.bridge);
    }

    json operator()(const ServerSource& source) const { return socket("listen", source); }

    json operator()(const ClientSource& source) const { return socket("connect", source); }

    json operator()(const McastSource& source) const { return socket("mcast", source); }

    json operator()(const UdpSource& source) const {
        json netdev = socket("udp", source);
        netdev["localaddr"] =
            fmt::format("{}:{}", source.local_address.value_or(""), source.local_port.value_or(0));
        return netdev;
    }

    template <class Other>
    [[noreturn]] json operator()(const Other&) const {
        refuse(interface_, fmt::format("type '{}'", name_of(interface_.type())));
    }

  private:
    static json of_type(const char* type) {
        json netdev = json::object();
        netdev["type"] = type;
        return netdev;
    }

    static json socket(const char* way, const SocketSource& source) {
        json netdev = of_type("socket");
        netdev[way] = fmt::format("{}:{}", source.address.value_or(""), source.port);
        return netdev;
    }

    void no_addresses() const {
        if (!interface_.ips.empty()) {
            refuse(interface_, "<ip> with a tap device");
        }
    }

    std::string pass(DescriptorKind kind, const std::string& path, bool multi_queue) const {
        Descriptor fd;
        fd.kind = kind;
        fd.path = path;
        fd.owner = alias_of(interface_.info);
        if (kind == DescriptorKind::tap) {
            fd.name = interface_.target_dev.value_or("");
            fd.virtio = is_virtio(interface_);
            fd.multi_queue = multi_queue;
        }
        return context_.descriptors.pass(std::move(fd));
    }

    std::string pass_all(DescriptorKind kind, const std::string& path, uint32_t count) const {
        std::string list = pass(kind, path, count > 1);
        for (uint32_t i = 1; i < count; ++i) {
            list += ":" + pass(kind, path, true);
        }
        return list;
    }

    json tap(const std::string& bridge) const {
        const uint32_t queues =
            is_virtio(interface_) ? std::max(interface_.driver.queues.value_or(1), 1U) : 1U;
        json netdev = of_type("tap");
        netdev[queues > 1 ? "fds" : "fd"] = pass_all(DescriptorKind::tap, bridge, queues);
        if (uses_vhost(context_, interface_)) {
            netdev["vhost"] = true;
            netdev[queues > 1 ? "vhostfds" : "vhostfd"] =
                pass_all(DescriptorKind::vhost_net, interface_.backend.vhost.value_or(""), queues);
        }
        if (interface_.sndbuf_bytes) {
            netdev["sndbuf"] = *interface_.sndbuf_bytes;
        }
        return netdev;
    }

    const PlanContext& context_;
    const InterfaceDef& interface_;
};

void add_offloads(const InterfaceDriver& driver, json& device) {
    set_on_off(device, "csum", driver.host.csum);
    set_on_off(device, "gso", driver.host.gso);
    set_on_off(device, "host_tso4", driver.host.tso4);
    set_on_off(device, "host_tso6", driver.host.tso6);
    set_on_off(device, "host_ecn", driver.host.ecn);
    set_on_off(device, "host_ufo", driver.host.ufo);
    set_on_off(device, "mrg_rxbuf", driver.host.mrg_rxbuf);
    set_on_off(device, "guest_csum", driver.guest.csum);
    set_on_off(device, "guest_tso4", driver.guest.tso4);
    set_on_off(device, "guest_tso6", driver.guest.tso6);
    set_on_off(device, "guest_ecn", driver.guest.ecn);
    set_on_off(device, "guest_ufo", driver.guest.ufo);
}

void add_virtio_net(const InterfaceDef& interface, json& device) {
    const InterfaceDriver& driver = interface.driver;
    if (driver.txmode) {
        device["tx"] = *driver.txmode == TxMode::iothread ? "bh" : "timer";
    }
    set_on_off(device, "ioeventfd", driver.ioeventfd);
    set_on_off(device, "event_idx", driver.event_idx);
    add_offloads(driver, device);
    const auto source = interface.type();
    const bool many = source == InterfaceType::bridge || source == InterfaceType::ethernet ||
                      source == InterfaceType::network || source == InterfaceType::vhostuser;
    if (many && driver.queues.value_or(1) > 1) {
        device["mq"] = true;
        // One for each queue's two directions, one for configuration, one for control.
        device["vectors"] = 2 * *driver.queues + 2;
    }
    if (driver.rx_queue_size) {
        device["rx_queue_size"] = *driver.rx_queue_size;
    }
    if (driver.tx_queue_size) {
        device["tx_queue_size"] = *driver.tx_queue_size;
    }
    set_on_off(device, "rss", driver.rss);
    set_on_off(device, "hash", driver.rss_hash_report);
    if (interface.mtu) {
        device["host_mtu"] = *interface.mtu;
    }
    if (interface.teaming && interface.teaming->type == TeamingType::persistent) {
        device["failover"] = true;
    }
    add_virtio_options(device, driver.virtio);
}

} // namespace

Plan plan_interface(const PlanContext& context, const InterfaceDef& interface) {
    refuse_unknown(interface);
    const std::string& alias = alias_of(interface.info);
    Plan plan;
    json netdev = std::visit(NetdevWriter(context, interface), interface.source);
    netdev["id"] = "host" + alias;
    plan.push_back(netdev_step(std::move(netdev)));

    json device = json::object();
    if (is_virtio(interface)) {
        device["driver"] = virtio_device("virtio-net", interface.info, virtio_model(interface));
        add_virtio_net(interface, device);
    } else {
        if (!interface.model) {
            refuse(interface, "a card without <model>");
        }
        require_type(context, *interface.model, fmt::format("interface '{}'", alias));
        device["driver"] = *interface.model;
        if (interface.mtu) {
            refuse(interface, "<mtu> with a card that is not virtio");
        }
    }
    device["netdev"] = "host" + alias;
    device["id"] = alias;
    device["mac"] = interface.mac.value_or("");
    add_boot_index(context, device, interface.info);
    add_address(context, device, interface.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
