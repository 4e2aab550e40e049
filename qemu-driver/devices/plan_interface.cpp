// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_interface.hpp"

#include "qemu-driver/devices/netdev.hpp"
#include "qemu-driver/devices/plan_hostdev.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

VirtioModel virtio_model(const InterfaceDef& interface) {
    if (interface.model == "virtio-transitional") {
        return VirtioModel::virtio_transitional;
    }
    if (interface.model == "virtio-non-transitional") {
        return VirtioModel::virtio_non_transitional;
    }
    return VirtioModel::virtio;
}

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
                      source == InterfaceType::network || source == InterfaceType::direct ||
                      source == InterfaceType::vhostuser || source == InterfaceType::vdpa;
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

/// What comes of a card that QEMU emulates.
json card_device(const PlanContext& context, const InterfaceDef& interface) {
    json device = json::object();
    if (is_virtio(interface)) {
        device["driver"] = virtio_device("virtio-net", interface.info, virtio_model(interface));
        add_virtio_net(interface, device);
        return device;
    }
    if (!interface.model) {
        refuse_interface(interface, "a card without <model>");
    }
    require_type(
        context, *interface.model, fmt::format("interface '{}'", alias_of(interface.info)));
    device["driver"] = *interface.model;
    return device;
}

} // namespace

Plan plan_interface(const PlanContext& context, const InterfaceDef& interface) {
    if (const auto* function = std::get_if<HostdevInterfaceSource>(&interface.source)) {
        return plan_pci_function(context, function->address, interface.teaming, interface.info);
    }
    Plan plan = plan_netdev(context, interface);
    json device = card_device(context, interface);
    const std::string& alias = alias_of(interface.info);
    device["netdev"] = "host" + alias;
    device["id"] = alias;
    device["mac"] = interface.mac.value_or("");
    add_boot_index(context, device, interface.info);
    add_address(context, device, interface.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
