// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_hostdev.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

Plan plan_usb(const PlanContext& context, const HostdevDef& hostdev, const UsbHostdev& usb) {
    const std::string& alias = alias_of(hostdev.info);
    require_type(context, "usb-host", "hostdev");
    if (!usb.bus || !usb.device) {
        throw Error(ErrorCode::config_unsupported,
                    "hostdev '{}': where the USB device is on the host is not known; give its "
                    "<address bus= device=/> in <source>",
                    alias);
    }
    json device = json::object();
    device["driver"] = "usb-host";
    device["hostdevice"] = fmt::format("/dev/bus/usb/{:03}/{:03}", *usb.bus, *usb.device);
    device["id"] = alias;
    add_boot_index(context, device, hostdev.info);
    if (usb.guest_reset) {
        device["guest-reset"] = *usb.guest_reset != GuestReset::off;
        device["guest-resets-all"] = *usb.guest_reset == GuestReset::on;
    }
    add_address(context, device, hostdev.info);
    return {device_step(std::move(device))};
}

Plan plan_mdev(const PlanContext& context, const HostdevDef& hostdev, const MdevHostdev& mdev) {
    json device = json::object();
    // A boot display cannot be unplugged: QEMU has another type for it.
    const bool ramfb = mdev.ramfb == OnOff::on;
    const std::string driver = ramfb ? "vfio-pci-nohotplug" : std::string(name_of(mdev.model));
    require_type(context, driver, "hostdev type 'mdev'");
    device["driver"] = driver;
    device["id"] = alias_of(hostdev.info);
    device["sysfsdev"] = "/sys/bus/mdev/devices/" + mdev.uuid;
    if (mdev.display) {
        device["display"] = name_of(*mdev.display);
    }
    if (ramfb) {
        device["ramfb"] = true;
    }
    add_boot_index(context, device, hostdev.info);
    add_address(context, device, hostdev.info);
    return {device_step(std::move(device))};
}

Plan plan_vhost_scsi(const PlanContext& context,
                     const HostdevDef& hostdev,
                     const ScsiVhostHostdev& vhost) {
    const std::string& alias = alias_of(hostdev.info);
    json device = json::object();
    device["driver"] =
        virtio_device("vhost-scsi", hostdev.info, vhost.model.value_or(VirtioModel::virtio));
    require_type(context, "vhost-scsi-pci", "hostdev type 'scsi_host'");
    device["wwpn"] = vhost.wwpn;
    Descriptor descriptor;
    descriptor.kind = DescriptorKind::vhost_scsi;
    descriptor.path = "/dev/vhost-scsi";
    descriptor.owner = alias;
    device["vhostfd"] = context.descriptors.pass(std::move(descriptor));
    device["id"] = alias;
    add_boot_index(context, device, hostdev.info);
    add_address(context, device, hostdev.info);
    return {device_step(std::move(device))};
}

/// One function for each kind of device.
class HostdevPlanner {
  public:
    HostdevPlanner(const PlanContext& context, const HostdevDef& hostdev)
        : context_(context), hostdev_(hostdev) {}

    Plan operator()(const PciHostdev& pci) const {
        if (pci.driver.value_or(PciHostdevDriver::vfio) != PciHostdevDriver::vfio) {
            throw Error(ErrorCode::config_unsupported,
                        "hostdev '{}': PCI driver '{}' is gone from QEMU, use 'vfio'",
                        alias_of(hostdev_.info),
                        name_of(*pci.driver));
        }
        return plan_pci_function(context_, pci.address, hostdev_.teaming, hostdev_.info);
    }

    Plan operator()(const UsbHostdev& usb) const { return plan_usb(context_, hostdev_, usb); }

    Plan operator()(const ScsiHostdev& scsi) const {
        return plan_scsi_hostdev(context_, hostdev_, scsi);
    }

    Plan operator()(const ScsiVhostHostdev& vhost) const {
        return plan_vhost_scsi(context_, hostdev_, vhost);
    }

    Plan operator()(const MdevHostdev& mdev) const { return plan_mdev(context_, hostdev_, mdev); }

  private:
    const PlanContext& context_;
    const HostdevDef& hostdev_;
};

} // namespace

Plan plan_pci_function(const PlanContext& context,
                       const PciAddress& function,
                       const std::optional<TeamingDef>& teaming,
                       const DeviceInfo& info) {
    require_type(context, "vfio-pci", "a PCI device of the host");
    json device = json::object();
    device["driver"] = "vfio-pci";
    device["host"] = fmt::format("{:04x}:{:02x}:{:02x}.{:x}",
                                 function.domain,
                                 function.bus,
                                 function.slot,
                                 function.function);
    device["id"] = alias_of(info);
    if (teaming && teaming->type == TeamingType::transient && teaming->persistent) {
        device["failover_pair_id"] = *teaming->persistent;
    }
    add_boot_index(context, device, info);
    add_address(context, device, info);
    return {device_step(std::move(device))};
}

Plan plan_hostdev(const PlanContext& context, const HostdevDef& hostdev) {
    if (std::holds_alternative<UnassignedAddress>(hostdev.info.address)) {
        return {};
    }
    if (hostdev.mode != HostdevMode::subsystem) {
        throw Error(ErrorCode::config_unsupported,
                    "hostdev mode '{}' is for containers, not for QEMU",
                    name_of(hostdev.mode));
    }
    return std::visit(HostdevPlanner(context, hostdev), hostdev.source);
}

} // namespace vireo::qemu
