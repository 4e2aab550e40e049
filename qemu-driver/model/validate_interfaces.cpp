// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <bit>

namespace vireo::qemu {

namespace {

void check_teaming(const InterfaceDef& card) {
    if (!card.teaming) {
        return;
    }
    if (card.teaming->type == TeamingType::transient && !card.teaming->persistent) {
        refuse(card.info.where,
               "teaming",
               "type='transient' needs persistent=, the alias of the interface that stays");
    }
    if (card.teaming->type == TeamingType::persistent && card.teaming->persistent) {
        refuse(card.info.where, "teaming", "persistent= is for type='transient'");
    }
}

void check_bandwidth(const InterfaceDef& card) {
    if (!card.bandwidth) {
        return;
    }
    for (const auto* rate : {&card.bandwidth->in, &card.bandwidth->out}) {
        if (!*rate) {
            continue;
        }
        if (!(*rate)->average && !(*rate)->floor) {
            refuse(card.info.where, "bandwidth", "it needs average= or floor=");
        }
        if (((*rate)->peak || (*rate)->burst) && !(*rate)->average) {
            refuse(card.info.where, "bandwidth", "peak= and burst= need average=");
        }
    }
    if (card.bandwidth->out && card.bandwidth->out->floor) {
        refuse(card.info.where, "outbound", "floor= is for <inbound>");
    }
    if (card.type() == InterfaceType::hostdev) {
        refuse(card.info.where, "bandwidth", "the packets of type='hostdev' do not pass the host");
    }
}

/// Packets of a user's own network can pass through a program beside QEMU.
void check_backend(const InterfaceDef& card) {
    const bool passt = card.backend.type == InterfaceBackendType::passt;
    if (passt && card.type() != InterfaceType::user) {
        refuse(card.info.where,
               "backend",
               "type='passt' is for type='user', not '{}'",
               name_of(card.type()));
    }
    if (!card.port_forwards.empty() && !passt) {
        refuse(card.info.where, "portForward", "it needs type='user' with <backend type='passt'/>");
    }
}

void check_interface(const InterfaceDef& card) {
    const xml::Where where = card.info.where;
    const InterfaceType type = card.type();
    if (card.target_managed == YesNo::no && type != InterfaceType::ethernet) {
        refuse(where, "target", "managed='no' is for type='ethernet', not '{}'", name_of(type));
    }
    check_teaming(card);
    const bool bridged = type == InterfaceType::network || type == InterfaceType::bridge;
    if (card.port_isolated == YesNo::yes && !bridged) {
        refuse(where,
               "port",
               "isolated='yes' is for type='network' and 'bridge', not '{}'",
               name_of(type));
    }
    if (card.port_isolated == YesNo::yes && card.virtual_port && card.virtual_port->type) {
        refuse(where,
               "port",
               "isolated='yes' is for the kernel's bridges, not <virtualport type='{}'>",
               *card.virtual_port->type);
    }
    const VirtioOptions& v = card.driver.virtio;
    if (!card.is_virtio() && (v.iommu || v.ats || v.packed || v.page_per_vq)) {
        refuse(where,
               "driver",
               "iommu=, ats=, packed= and page_per_vq= are for model 'virtio', not '{}'",
               card.model.value_or("none"));
    }
    check_bandwidth(card);
    check_backend(card);
    constexpr std::string_view odd = "13579bdf";
    if (card.mac && odd.find((*card.mac)[1]) != std::string_view::npos) {
        refuse(where, "mac", "address='{}' is of a group; a guest's own is unicast", *card.mac);
    }
}

void check_user_addresses(const InterfaceDef& card) {
    bool v4 = false, v6 = false;
    for (const IpDef& ip : card.ips) {
        const bool is_v6 = ip.address.find(':') != std::string::npos;
        bool& seen = is_v6 ? v6 : v4;
        if (seen) {
            refuse(
                card.info.where, "ip", "type='user' has one {} address", is_v6 ? "IPv6" : "IPv4");
        }
        seen = true;
        constexpr uint32_t shortest_v4 = 4, longest_v4 = 27, v6_prefix = 64;
        const uint32_t prefix = ip.prefix.value_or(0);
        if (prefix != 0 && !is_v6 && (prefix < shortest_v4 || prefix > longest_v4)) {
            refuse(card.info.where,
                   "ip",
                   "prefix='{}' is not from {} to {}, which leave room for host and DNS server",
                   prefix,
                   shortest_v4,
                   longest_v4);
        }
        if (prefix != 0 && is_v6 && prefix != v6_prefix) {
            refuse(card.info.where, "ip", "prefix='{}': IPv6 has {}", prefix, v6_prefix);
        }
        if (ip.peer) {
            refuse(card.info.where, "ip", "peer= is not there with type='user'");
        }
    }
    if (!card.routes.empty()) {
        refuse(card.info.where, "route", "it is not there with type='user'");
    }
}

void check_queues(const InterfaceDef& card) {
    for (const auto& [name, size] : {std::pair("rx_queue_size", card.driver.rx_queue_size),
                                     std::pair("tx_queue_size", card.driver.tx_queue_size)}) {
        if (card.is_virtio() && size.value_or(0) != 0 && !std::has_single_bit(*size)) {
            refuse(card.info.where, "driver", "{}='{}' is not a power of two", name, *size);
        }
    }
}

/// What goes through the host's network stack there: queueing, filters, sizes of packets.
void check_host_side(const InterfaceDef& card) {
    const xml::Where where = card.info.where;
    const InterfaceType type = card.type();
    const bool bridged = type == InterfaceType::network || type == InterfaceType::bridge;
    if (card.filter && !bridged && type != InterfaceType::ethernet) {
        refuse(where,
               "filterref",
               "packets of type='{}' do not pass the host's filters",
               name_of(type));
    }
    if (card.coalesce && !bridged) {
        refuse(where, "coalesce", "it is for type='network' and 'bridge', not '{}'", name_of(type));
    }
    const bool has_mtu =
        bridged || type == InterfaceType::ethernet || type == InterfaceType::vhostuser;
    if (card.mtu && !has_mtu) {
        refuse(where, "mtu", "it cannot be set for type='{}'", name_of(type));
    }
    if (card.backend.tap && type == InterfaceType::vhostuser) {
        refuse(
            where, "backend", "tap='{}': type='vhostuser' has a socket, no tap", *card.backend.tap);
    }
    if (card.script && type != InterfaceType::ethernet && type != InterfaceType::bridge) {
        refuse(where, "script", "it is run for type='ethernet', not '{}'", name_of(type));
    }
    if (card.downscript && type != InterfaceType::ethernet) {
        refuse(where, "downscript", "it is run for type='ethernet', not '{}'", name_of(type));
    }
    if (card.vlan && (type == InterfaceType::user || type == InterfaceType::ethernet ||
                      type == InterfaceType::vhostuser || type == InterfaceType::vdpa)) {
        refuse(where, "vlan", "packets of type='{}' get no tag", name_of(type));
    }
}

/// A virtio card that stays, and a function of the host that takes its place while it is there.
void check_qemu_teaming(const InterfaceDef& card) {
    if (!card.teaming) {
        return;
    }
    if (card.teaming->type == TeamingType::persistent && !card.is_virtio()) {
        refuse(card.info.where,
               "teaming",
               "type='persistent' needs model 'virtio', not '{}'",
               card.model.value_or("none"));
    }
    if (card.teaming->type == TeamingType::transient && card.type() != InterfaceType::hostdev &&
        card.type() != InterfaceType::network) {
        refuse(card.info.where,
               "teaming",
               "type='transient' is for type='hostdev' and 'network', not '{}'",
               name_of(card.type()));
    }
}

void check_qemu_interface(const InterfaceDef& card) {
    const xml::Where where = card.info.where;
    const InterfaceType type = card.type();
    if (type == InterfaceType::internal || type == InterfaceType::vds) {
        refuse(where, "interface", "type='{}' is not one of QEMU's", name_of(type));
    }
    if ((type == InterfaceType::vhostuser || type == InterfaceType::vdpa) && !card.is_virtio()) {
        refuse(where,
               "model",
               "type='{}' needs model 'virtio', not '{}'",
               name_of(type),
               card.model.value_or("none"));
    }
    if (type == InterfaceType::user) {
        check_user_addresses(card);
    } else if (!card.ips.empty() || !card.routes.empty()) {
        refuse(where,
               card.ips.empty() ? "route" : "ip",
               "the guest's addresses of type='{}' are given in the guest; only 'user' has them",
               name_of(type));
    }
    if (card.guest_dev) {
        refuse(where, "guest", "dev='{}': names in the guest are the guest's", *card.guest_dev);
    }
    const bool none = std::holds_alternative<std::monostate>(card.info.address);
    const bool mmio = std::holds_alternative<VirtioMmioAddress>(card.info.address);
    if (card.is_virtio() && !none && !mmio && card.info.pci() == nullptr) {
        refuse(where, "address", "model '{}' has type='pci'", card.model.value_or("none"));
    }
    check_queues(card);
    check_qemu_teaming(card);
    check_host_side(card);
}

} // namespace

void validate_interfaces(const DomainDef& def) {
    check_each(def.devices.interfaces, [&](const InterfaceDef& card) { check_interface(card); });
}

void validate_qemu_interfaces(const DomainDef& def) {
    check_each(def.devices.interfaces,
               [&](const InterfaceDef& card) { check_qemu_interface(card); });
}

} // namespace vireo::qemu
