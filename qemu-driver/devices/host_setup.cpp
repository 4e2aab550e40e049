// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/host_setup.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace vireo::qemu {

namespace {

[[noreturn]] void
refuse(xml::Where where, std::string_view device, std::string_view name, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "{}{} '{}': {} is not supported",
                where.line == 0 ? std::string() : fmt::format("line {}: ", where.line),
                device,
                name,
                what);
}

void check_interface(const InterfaceDef& interface) {
    const auto* ethernet = std::get_if<EthernetSource>(&interface.source);
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
        {ethernet != nullptr && !(ethernet->ips.empty() && ethernet->routes.empty()),
         "<ip> or <route> in <source>"},
    };
    for (const auto& [asked, element] : wishes) {
        if (asked) {
            refuse(interface.info.where, "interface", interface.mac.value_or("?"), element);
        }
    }
}

void check_disk(const DiskDef& disk) {
    if (const auto* volume = std::get_if<VolumeSource>(&disk.image.source)) {
        refuse(disk.info.where,
               "disk",
               disk.target.dev,
               "volume '" + volume->volume + "' of a storage pool");
    }
    if (disk.transient) {
        refuse(disk.info.where, "disk", disk.target.dev, "<transient/>");
    }
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        if (uses_managed_reservations(*image)) {
            refuse(disk.info.where, "disk", disk.target.dev, "<reservations managed='yes'/>");
        }
    }
}

void check_others(const Devices& devices) {
    for (const GraphicsDef& graphics : devices.graphics) {
        const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind);
        if (dbus && dbus->p2p != YesNo::yes && !dbus->address) {
            refuse(graphics.where, "graphics", "dbus", "a bus of the guest's own");
        }
    }
}

} // namespace

void refuse_missing_host_setup(const DomainDef& def) {
    const Devices& devices = def.devices;
    if (def.launch_security && (def.launch_security->dh_cert || def.launch_security->session)) {
        refuse(def.where, "domain", def.name, "<launchSecurity> with <dhCert> or <session>");
    }
    for (const VcpuState& state : def.vcpus.states) {
        if (state.enabled == YesNo::yes && state.hotpluggable == YesNo::yes) {
            refuse(state.where,
                   "vcpu",
                   std::to_string(state.id),
                   "hotpluggable='yes' with enabled='yes'");
        }
    }
    for (const InterfaceDef& interface : devices.interfaces) {
        check_interface(interface);
    }
    for (const DiskDef& disk : devices.disks) {
        check_disk(disk);
    }
    check_others(devices);
}

} // namespace vireo::qemu
