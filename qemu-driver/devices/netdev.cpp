// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/netdev.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

void refuse_interface(const InterfaceDef& interface, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "{}interface '{}': {} is not supported",
                interface.info.where.line == 0
                    ? std::string()
                    : fmt::format("line {}: ", interface.info.where.line),
                interface.mac.value_or("?"),
                what);
}

namespace {

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
    NetdevWriter(const PlanContext& context, const InterfaceDef& interface, Plan& before)
        : context_(context), interface_(interface), before_(before) {}

    json operator()(const UserSource&) const {
        if (interface_.backend.type == InterfaceBackendType::passt) {
            return passt();
        }
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

    json operator()(const EthernetSource&) const {
        no_addresses();
        return tap(std::string());
    }

    json operator()(const BridgeSource& source) const {
        no_addresses();
        return tap(source.bridge);
    }

    json operator()(const DirectSource& source) const {
        no_addresses();
        return tap(source);
    }

    json operator()(const VhostUserInterfaceSource& source) const {
        if (!is_virtio(interface_)) {
            refuse_interface(interface_, "type 'vhostuser' with a card that is not virtio");
        }
        ChardevSource chardev = socket_client(source.path, source.reconnect);
        std::get<UnixChardev>(chardev.backend).mode = source.mode;
        const std::string& alias = alias_of(interface_.info);
        // The bridge program connects when it comes up, and cards work from then on.
        ChardevNames names{"char" + alias, alias, {}};
        names.waits_for_client = true;
        append(before_, plan_chardev(context_, chardev, names));
        json netdev = of_type("vhost-user");
        netdev["chardev"] = names.id;
        if (interface_.driver.queues.value_or(1) > 1) {
            netdev["queues"] = *interface_.driver.queues;
        }
        return netdev;
    }

    json operator()(const VdpaSource& source) const {
        if (!is_virtio(interface_)) {
            refuse_interface(interface_, "type 'vdpa' with a card that is not virtio");
        }
        Descriptor descriptor;
        descriptor.kind = DescriptorKind::vhost_vdpa;
        descriptor.path = source.dev;
        descriptor.owner = alias_of(interface_.info);
        json netdev = of_type("vhost-vdpa");
        netdev["vhostdev"] =
            context_.descriptors.pass_as_path(std::move(descriptor), before_, source.dev);
        if (interface_.driver.queues.value_or(1) > 1) {
            netdev["queues"] = *interface_.driver.queues;
        }
        return netdev;
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

    [[noreturn]] json operator()(const NetworkInterfaceSource&) const {
        refuse_interface(interface_,
                         "type='network' (take type='bridge' with the bridge of that network, "
                         "like 'virbr0', or type='user')");
    }

    template <class Other>
    [[noreturn]] json operator()(const Other&) const {
        refuse_interface(interface_, fmt::format("type '{}'", name_of(interface_.type())));
    }

  private:
    static json of_type(const char* type) {
        json netdev = json::object();
        netdev["type"] = type;
        return netdev;
    }

    /// passt listens on a socket for one guest.
    json passt() const {
        json netdev = of_type("stream");
        json address = json::object();
        address["type"] = "unix";
        address["path"] =
            fmt::format("{}-{}.socket", context_.facts.passt_prefix, alias_of(interface_.info));
        netdev["addr"] = std::move(address);
        netdev["server"] = false;
        return netdev;
    }

    static json socket(const char* way, const SocketSource& source) {
        json netdev = of_type("socket");
        netdev[way] = fmt::format("{}:{}", source.address.value_or(""), source.port);
        return netdev;
    }

    void no_addresses() const {
        if (!interface_.ips.empty()) {
            refuse_interface(interface_, "<ip> with a tap device");
        }
    }

    /// Passes one descriptor for each queue.
    std::string pass_all(Descriptor descriptor, uint32_t queues) const {
        descriptor.owner = alias_of(interface_.info);
        descriptor.multi_queue = queues > 1;
        std::string list = context_.descriptors.pass(descriptor);
        for (uint32_t i = 1; i < queues; ++i) {
            list += ":" + context_.descriptors.pass(descriptor);
        }
        return list;
    }

    json tap(const std::string& bridge) const {
        Descriptor descriptor;
        descriptor.kind = DescriptorKind::tap;
        descriptor.path = bridge;
        return tap(std::move(descriptor));
    }

    json tap(const DirectSource& source) const {
        Descriptor descriptor;
        descriptor.kind = DescriptorKind::macvtap;
        descriptor.path = source.dev;
        descriptor.mode = source.mode.value_or(DirectMode::vepa);
        return tap(std::move(descriptor));
    }

    json tap(Descriptor descriptor) const {
        descriptor.name = interface_.target_dev.value_or("");
        descriptor.virtio = is_virtio(interface_);
        const uint32_t queues =
            is_virtio(interface_) ? std::max(interface_.driver.queues.value_or(1), 1U) : 1U;
        json netdev = of_type("tap");
        netdev[queues > 1 ? "fds" : "fd"] = pass_all(std::move(descriptor), queues);
        if (uses_vhost(context_, interface_)) {
            netdev["vhost"] = true;
            Descriptor vhost;
            vhost.kind = DescriptorKind::vhost_net;
            vhost.path = interface_.backend.vhost.value_or("");
            netdev[queues > 1 ? "vhostfds" : "vhostfd"] = pass_all(std::move(vhost), queues);
        }
        if (interface_.sndbuf_bytes) {
            netdev["sndbuf"] = *interface_.sndbuf_bytes;
        }
        return netdev;
    }

    const PlanContext& context_;
    const InterfaceDef& interface_;
    Plan& before_;
};

} // namespace

bool is_virtio(const InterfaceDef& interface) {
    return interface.model && interface.model->starts_with("virtio");
}

Plan plan_netdev(const PlanContext& context, const InterfaceDef& interface) {
    Plan plan;
    json netdev = std::visit(NetdevWriter(context, interface, plan), interface.source);
    const auto& type = netdev.at("type").get_ref<const std::string&>();
    if (!context.caps.netdev_types.contains(type)) {
        refuse_interface(interface,
                         fmt::format("network back end '{}' of '{}'", type, context.caps.binary));
    }
    netdev["id"] = "host" + alias_of(interface.info);
    plan.push_back(netdev_step(std::move(netdev)));
    return plan;
}

} // namespace vireo::qemu
