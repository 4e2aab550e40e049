// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/refusals.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>
#include <set>

namespace vireo::qemu {

namespace {

void check_range(const ControllerDef& c,
                 std::string_view attribute,
                 const std::optional<uint32_t>& value,
                 uint32_t lowest,
                 uint32_t highest) {
    if (value && (*value < lowest || *value > highest)) {
        refuse(c.info.where,
               "target",
               "{}='{}' is not from {} to {}",
               attribute,
               *value,
               lowest,
               highest);
    }
}

void check_pci(const DomainDef& def, const ControllerDef& c) {
    const xml::Where where = c.info.where;
    const bool root = c.is_pci(PciModel::pci_root) || c.is_pci(PciModel::pcie_root);
    constexpr uint32_t highest_bus = 255;
    if (*c.index > highest_bus) {
        refuse(where, "controller", "index='{}': PCI buses have the numbers 0 to 255", *c.index);
    }
    if (root && *c.index != 0) {
        refuse(where, "controller", "index='{}': the root of PCI is number 0", *c.index);
    }
    if (root && !std::holds_alternative<std::monostate>(c.info.address)) {
        refuse(where, "address", "the root of PCI is plugged into nothing; remove the address");
    }
    const PciControllerTarget& t = c.target;
    check_range(c, "chassisNr", t.chassis_nr, 1, highest_bus);
    check_range(c, "chassis", t.chassis, 0, highest_bus);
    check_range(c, "port", t.port, 0, highest_bus);
    check_range(c, "busNr", t.bus_nr, 1, highest_bus - 1);
    if (!t.numa_node) {
        return;
    }
    if (root) {
        refuse(where, "node", "the root of PCI belongs to no NUMA cell; use an expander bus");
    }
    const bool there = def.cpu && std::ranges::any_of(def.cpu->cells, [&](const NumaCell& cell) {
                           return cell.id == t.numa_node;
                       });
    if (!there) {
        refuse(where, "node", "there is no NUMA cell '{}'; <cpu><numa> has them", *t.numa_node);
    }
}

/// The QEMU devices that can play a model, the first by itself.
std::vector<PciDeviceName> devices_of(PciModel model) {
    switch (model) {
    case PciModel::pci_bridge:
        return {PciDeviceName::pci_bridge};
    case PciModel::dmi_to_pci_bridge:
        return {PciDeviceName::i82801b11_bridge};
    case PciModel::pcie_to_pci_bridge:
        return {PciDeviceName::pcie_pci_bridge};
    case PciModel::pcie_root_port:
        return {PciDeviceName::pcie_root_port, PciDeviceName::ioh3420};
    case PciModel::pcie_switch_upstream_port:
        return {PciDeviceName::x3130_upstream};
    case PciModel::pcie_switch_downstream_port:
        return {PciDeviceName::xio3130_downstream};
    case PciModel::pci_expander_bus:
        return {PciDeviceName::pxb};
    case PciModel::pcie_expander_bus:
        return {PciDeviceName::pxb_pcie};
    case PciModel::pci_root:
    case PciModel::pcie_root:
        break;
    }
    return {};
}

/// Which of the targets a model has.
void check_pci_target(const ControllerDef& c) {
    const auto model = c.model_as<PciModel>().value_or(PciModel::pci_bridge);
    const PciControllerTarget& t = c.target;
    const bool port =
        model == PciModel::pcie_root_port || model == PciModel::pcie_switch_downstream_port;
    const bool expander =
        model == PciModel::pci_expander_bus || model == PciModel::pcie_expander_bus;
    const std::string_view wrong = t.index                                             ? "index"
                                   : t.chassis_nr && model != PciModel::pci_bridge     ? "chassisNr"
                                   : t.chassis && !port                                ? "chassis"
                                   : t.port && !port                                   ? "port"
                                   : t.bus_nr && !expander                             ? "busNr"
                                   : t.hotplug && !port && model != PciModel::pci_root ? "hotplug"
                                   : t.numa_node && !expander                          ? "node"
                                                                                       : "";
    if (!wrong.empty()) {
        refuse(c.info.where,
               "target",
               "{}: a PCI controller of model '{}' has none",
               wrong,
               name_of(model));
    }
    const std::vector<PciDeviceName> devices = devices_of(model);
    if (c.pci_device && std::ranges::find(devices, *c.pci_device) == devices.end()) {
        refuse(c.info.where,
               "model",
               "name='{}' does not play a controller of model '{}'",
               name_of(*c.pci_device),
               name_of(model));
    }
    if (!devices.empty() && *c.index == 0) {
        refuse(c.info.where,
               "controller",
               "index='0' is the root of PCI; one of model '{}' has an index from 1 on",
               name_of(model));
    }
    if (c.pcihole64_kib && model != PciModel::pci_root && model != PciModel::pcie_root) {
        refuse(c.info.where, "pcihole64", "it belongs to the root of PCI, index='0'");
    }
}

void check_usb(const ControllerDef& c) {
    constexpr uint32_t most_ports = 15; // of xhci
    const auto model = c.model_as<UsbModel>();
    if (!c.ports) {
        return;
    }
    if (model != UsbModel::nec_xhci && model != UsbModel::qemu_xhci && model != UsbModel::qusb1 &&
        model != UsbModel::qusb2) {
        refuse(c.info.where,
               "controller",
               "ports=: a USB controller of model '{}' has a fixed number",
               model ? name_of(*model) : "");
    }
    if (*c.ports == 0 || *c.ports > most_ports) {
        refuse(c.info.where,
               "controller",
               "ports='{}': a USB controller has 1 to {}",
               *c.ports,
               most_ports);
    }
}

/// A companion drives ports of an EHCI with its index.
void check_companions(const DomainDef& def) {
    const auto& list = def.devices.controllers;
    for (const ControllerDef& c : list) {
        const bool has_master = std::ranges::any_of(list, [&](const ControllerDef& other) {
            return other.type == ControllerType::usb && other.index == c.index &&
                   !other.master_start_port;
        });
        if (c.type == ControllerType::usb && c.master_start_port && !has_master) {
            refuse(c.info.where,
                   "controller",
                   "model '{}' is a companion: add an 'ich9-ehci1' with index='{}'",
                   name_of(c.model_as<UsbModel>().value_or(UsbModel::none)),
                   *c.index);
        }
    }
}

void check_usb_none(const DomainDef& def) {
    const auto& list = def.devices.controllers;
    const bool off = std::ranges::any_of(
        list, [](const ControllerDef& c) { return c.model_as<UsbModel>() == UsbModel::none; });
    if (!off) {
        return;
    }
    for (const ControllerDef& c : list) {
        if (c.type == ControllerType::usb && c.model_as<UsbModel>() != UsbModel::none) {
            refuse(
                c.info.where, "controller", "USB is switched off by a controller of model 'none'");
        }
    }
    const auto refuse_all = [](const auto& devices, std::string_view element, auto is_usb) {
        for (const auto& device : devices) {
            if (is_usb(device)) {
                refuse(device.info.where,
                       element,
                       "it is on USB, which a controller of model 'none' switches off");
            }
        }
    };
    const Devices& d = def.devices;
    const auto any = [](const auto&) { return true; };
    refuse_all(d.hubs, "hub", any);
    refuse_all(d.redirdevs, "redirdev", any);
    refuse_all(d.inputs, "input", [](const InputDef& i) { return i.bus == InputBus::usb; });
    refuse_all(d.disks, "disk", [](const DiskDef& k) { return k.target.bus == DiskBus::usb; });
    refuse_all(
        d.hostdevs, "hostdev", [](const HostdevDef& h) { return h.type() == HostdevType::usb; });
    refuse_all(d.sounds, "sound", [](const SoundDef& s) { return s.model == SoundModel::usb; });
    refuse_all(d.serials, "serial", [](const SerialDef& s) {
        return s.target_type == SerialTargetType::usb_serial;
    });
}

void check_scsi(const DomainDef& def, const ControllerDef& c) {
    const auto model = c.model_as<ScsiModel>();
    const bool virtio = model == ScsiModel::virtio_scsi ||
                        model == ScsiModel::virtio_transitional ||
                        model == ScsiModel::virtio_non_transitional;
    const ControllerDriver& d = c.driver;
    const std::string_view option = d.queues        ? "queues="
                                    : d.cmd_per_lun ? "cmd_per_lun="
                                    : d.max_sectors ? "max_sectors="
                                    : d.ioeventfd   ? "ioeventfd="
                                    : d.iothread    ? "iothread="
                                                    : "";
    if (!virtio && !option.empty()) {
        refuse(c.info.where, "driver", "{} is for SCSI controllers of model 'virtio-scsi'", option);
    }
    if (model == ScsiModel::ncr53c90) {
        refuse(c.info.where, "controller", "model 'ncr53c90' is part of machines that are no PCs");
    }
    if (d.iothread && std::ranges::none_of(def.iothreads, [&](const IothreadDef& t) {
            return t.id == *d.iothread;
        })) {
        refuse(c.info.where,
               "driver",
               "iothread='{}' is not there; add it to <iothreadids> or raise <iothreads>",
               *d.iothread);
    }
    if (model == ScsiModel::buslogic || model == ScsiModel::ibmvscsi) {
        refuse(
            c.info.where, "controller", "model '{}' is not one of QEMU's on a PC", name_of(*model));
    }
}

void check_virtio_options(const ControllerDef& c) {
    const VirtioOptions& v = c.driver.virtio;
    const auto scsi = c.model_as<ScsiModel>();
    const bool virtio = c.type == ControllerType::virtio_serial || scsi == ScsiModel::virtio_scsi ||
                        scsi == ScsiModel::virtio_transitional ||
                        scsi == ScsiModel::virtio_non_transitional;
    if (!virtio && (v.iommu || v.ats || v.packed || v.page_per_vq)) {
        refuse(c.info.where,
               "driver",
               "iommu=, ats=, packed= and page_per_vq= are for virtio controllers");
    }
}

void check_usb_buses(const DomainDef& def) {
    for_each_device(def.devices, [&](const auto& device) {
        const UsbAddress* at = device.info.usb();
        if (at != nullptr && find_controller(def, ControllerType::usb, at->bus) == nullptr) {
            refuse(device.info.where,
                   "address",
                   "bus='{}': there is no USB controller with that index",
                   at->bus);
        }
    });
}

} // namespace

void validate_controllers(const DomainDef& def) {
    std::set<std::pair<ControllerType, uint32_t>> seen;
    check_each(def.devices.controllers, [&](const ControllerDef& c) {
        if (!c.master_start_port && !seen.insert({c.type, *c.index}).second &&
            c.type != ControllerType::usb) {
            refuse(c.info.where,
                   "controller",
                   "there are two controllers of type '{}' with index '{}'",
                   name_of(c.type),
                   *c.index);
        }
        if (c.type == ControllerType::pci) {
            check_pci(def, c);
        }
        check_virtio_options(c);
    });
    check_companions(def);
    check_usb_none(def);
}

void validate_qemu_controllers(const DomainDef& def) {
    check_usb_buses(def);
    check_each(def.devices.controllers, [&](const ControllerDef& c) {
        switch (c.type) {
        case ControllerType::pci:
            check_pci_target(c);
            break;
        case ControllerType::usb:
            check_usb(c);
            break;
        case ControllerType::scsi:
            check_scsi(def, c);
            break;
        case ControllerType::ide:
            if (!def.os.is_i440fx()) {
                refuse(c.info.where,
                       "controller",
                       "a machine '{}' has no IDE; use bus 'sata' or 'scsi'",
                       *def.os.machine);
            }
            [[fallthrough]];
        case ControllerType::fdc:
            if (*c.index > 0) {
                refuse(c.info.where,
                       "controller",
                       "index='{}': a machine '{}' has one controller of type '{}'",
                       *c.index,
                       *def.os.machine,
                       name_of(c.type));
            }
            break;
        case ControllerType::xenbus:
            refuse(c.info.where, "controller", "type='xenbus' is not one of QEMU's");
        default:
            break;
        }
    });
}

} // namespace vireo::qemu
