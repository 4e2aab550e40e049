// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <set>

namespace vireo::qemu {

namespace {

/// What tells a host device from others; empty where two may be alike.
std::string identity(const HostdevDef& hostdev) {
    if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source)) {
        const PciAddress& at = pci->address;
        return fmt::format(
            "PCI device {:04x}:{:02x}:{:02x}.{:x}", at.domain, at.bus, at.slot, at.function);
    }
    if (const auto* mdev = std::get_if<MdevHostdev>(&hostdev.source)) {
        return fmt::format("mediated device {}", mdev->uuid);
    }
    if (const auto* vhost = std::get_if<ScsiVhostHostdev>(&hostdev.source)) {
        return fmt::format("SCSI host {}", vhost->wwpn);
    }
    if (const auto* usb = std::get_if<UsbHostdev>(&hostdev.source)) {
        if (usb->bus && usb->device) {
            return fmt::format("USB device {} of bus {}", *usb->device, *usb->bus);
        }
        return usb->vendor && usb->product
                   ? fmt::format("USB device {:04x}:{:04x}", *usb->vendor, *usb->product)
                   : "";
    }
    if (const auto* scsi = std::get_if<ScsiHostdev>(&hostdev.source)) {
        if (scsi->adapter && scsi->address) {
            return fmt::format("SCSI device {} {}:{}:{}",
                               *scsi->adapter,
                               scsi->address->bus,
                               scsi->address->target,
                               scsi->address->unit);
        }
        return scsi->name ? fmt::format("iSCSI device {}", *scsi->name) : "";
    }
    return {};
}

void check_address(const HostdevDef& hostdev) {
    const DeviceInfo& info = hostdev.info;
    const auto wants = [&](bool right, std::string_view type) {
        if (!right && !std::holds_alternative<std::monostate>(info.address)) {
            refuse(info.where,
                   "address",
                   "a host device of type '{}' has type='{}'",
                   name_of(hostdev.type()),
                   type);
        }
    };
    const bool unassigned = std::holds_alternative<UnassignedAddress>(info.address);
    switch (hostdev.type()) {
    case HostdevType::pci:
        wants(info.pci() != nullptr || unassigned, "pci");
        break;
    case HostdevType::usb:
        wants(info.usb() != nullptr, "usb");
        break;
    case HostdevType::scsi:
        wants(info.drive() != nullptr, "drive");
        if (info.drive() != nullptr && info.drive()->bus != 0) {
            refuse(info.where, "address", "bus='{}': a SCSI controller has one", info.drive()->bus);
        }
        break;
    case HostdevType::scsi_host:
    case HostdevType::mdev:
        wants(info.pci() != nullptr, "pci");
        break;
    }
}

void check_teaming(const HostdevDef& hostdev) {
    if (!hostdev.teaming) {
        return;
    }
    if (hostdev.type() != HostdevType::pci) {
        refuse(hostdev.info.where, "teaming", "it is for host devices of type 'pci'");
    }
    if (hostdev.teaming->type != TeamingType::transient || !hostdev.teaming->persistent) {
        refuse(hostdev.info.where,
               "teaming",
               "a host device is type='transient' with persistent=, the alias of the interface "
               "that stays");
    }
}

void check_mdev(const DomainDef& def, const HostdevDef& hostdev, const MdevHostdev& mdev) {
    const xml::Where where = hostdev.info.where;
    if (mdev.model != MdevModel::vfio_pci) {
        refuse(where, "hostdev", "model='{}' is not for a PC; 'vfio-pci' is", name_of(mdev.model));
    }
    if (mdev.display == OnOff::on && def.devices.graphics.empty()) {
        refuse(where, "hostdev", "display='on' needs a <graphics> that shows it");
    }
    if (mdev.ramfb == OnOff::on && mdev.display != OnOff::on) {
        refuse(where, "hostdev", "ramfb='on' is the screen at boot: it needs display='on'");
    }
}

void check_hostdev(const DomainDef& def, const HostdevDef& hostdev) {
    const xml::Where where = hostdev.info.where;
    if (hostdev.mode == HostdevMode::capabilities) {
        refuse(where, "hostdev", "mode='capabilities' is for containers; use mode='subsystem'");
    }
    check_address(hostdev);
    check_teaming(hostdev);
    if (const auto* mdev = std::get_if<MdevHostdev>(&hostdev.source)) {
        check_mdev(def, hostdev, *mdev);
    }
    if (const auto* scsi = std::get_if<ScsiHostdev>(&hostdev.source)) {
        if (scsi->sgio == HostdevSgio::unfiltered) {
            refuse(where, "hostdev", "sgio='unfiltered' no longer exists in Linux; remove it");
        }
        if (scsi->auth && scsi->auth->secret.type.value_or("iscsi") != "iscsi") {
            refuse(where, "secret", "type='{}': iSCSI needs 'iscsi'", *scsi->auth->secret.type);
        }
    }
    if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source);
        pci != nullptr && pci->driver && pci->driver != PciHostdevDriver::vfio) {
        refuse(where, "driver", "name='{}' no longer exists; 'vfio' does", name_of(*pci->driver));
    }
    if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source);
        pci != nullptr && pci->write_filtering) {
        refuse(where, "source", "writeFiltering= is not there with QEMU; remove it");
    }
    if (const auto* usb = std::get_if<UsbHostdev>(&hostdev.source)) {
        if (usb->vendor.has_value() != usb->product.has_value()) {
            refuse(where, "source", "name both vendor and product");
        }
        if (!usb->vendor && !(usb->bus && usb->device)) {
            refuse(where, "source", "name the device by <vendor> and <product>, or by <address>");
        }
    }
    if (hostdev.info.boot &&
        (hostdev.type() == HostdevType::scsi_host || hostdev.type() == HostdevType::mdev)) {
        refuse(where,
               "boot",
               "the firmware cannot boot from a host device of type '{}'",
               name_of(hostdev.type()));
    }
    if (hostdev.readonly && hostdev.type() != HostdevType::scsi) {
        refuse(where, "readonly", "it is for host devices of type 'scsi'");
    }
}

} // namespace

void validate_hostdevs(const DomainDef& def) {
    std::set<std::string> seen;
    const MdevHostdev* screen = nullptr;
    check_each(def.devices.hostdevs, [&](const HostdevDef& hostdev) {
        check_hostdev(def, hostdev);
        const std::string id = identity(hostdev);
        if (!id.empty() && !seen.insert(id).second) {
            refuse(hostdev.info.where, "hostdev", "{} is there twice", id);
        }
        const auto* mdev = std::get_if<MdevHostdev>(&hostdev.source);
        if (mdev != nullptr && mdev->ramfb == OnOff::on) {
            if (screen != nullptr) {
                refuse(hostdev.info.where, "hostdev", "only one device can have ramfb='on'");
            }
            screen = mdev;
        }
    });
}

} // namespace vireo::qemu
