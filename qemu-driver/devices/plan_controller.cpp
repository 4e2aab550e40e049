// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const ControllerDef& controller, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "{} controller {}: {} is not supported",
                name_of(controller.type),
                controller.index.value_or(0),
                what);
}

void add_common(const ControllerDef& controller, json& device) {
    const ControllerDriver& driver = controller.driver;
    if (driver.iothread) {
        device["iothread"] = fmt::format("iothread{}", *driver.iothread);
    }
    if (driver.queues) {
        device["num_queues"] = *driver.queues;
    }
    if (driver.cmd_per_lun) {
        device["cmd_per_lun"] = *driver.cmd_per_lun;
    }
    if (driver.max_sectors) {
        device["max_sectors"] = *driver.max_sectors;
    }
    set_on_off(device, "ioeventfd", driver.ioeventfd);
    add_virtio_options(device, driver.virtio);
}

json scsi_device(const ControllerDef& controller) {
    json device = json::object();
    const auto model = controller.model_as<ScsiModel>().value_or(ScsiModel::lsilogic);
    switch (model) {
    case ScsiModel::virtio_scsi:
        device["driver"] = virtio_device("virtio-scsi", controller.info, VirtioModel::virtio);
        break;
    case ScsiModel::virtio_transitional:
        device["driver"] =
            virtio_device("virtio-scsi", controller.info, VirtioModel::virtio_transitional);
        break;
    case ScsiModel::virtio_non_transitional:
        device["driver"] =
            virtio_device("virtio-scsi", controller.info, VirtioModel::virtio_non_transitional);
        break;
    case ScsiModel::lsilogic:
        device["driver"] = "lsi";
        return device;
    case ScsiModel::lsisas1068:
        device["driver"] = "mptsas1068";
        return device;
    case ScsiModel::lsisas1078:
        device["driver"] = "megasas";
        return device;
    case ScsiModel::vmpvscsi:
        device["driver"] = "pvscsi";
        return device;
    case ScsiModel::dc390:
        device["driver"] = "dc-390";
        return device;
    case ScsiModel::am53c974:
        device["driver"] = "am53c974";
        return device;
    default:
        refuse(controller, fmt::format("model '{}'", name_of(model)));
    }
    add_common(controller, device);
    return device;
}

const char* usb_driver(const ControllerDef& controller, UsbModel model) {
    switch (model) {
    case UsbModel::piix3_uhci:
        return "piix3-usb-uhci";
    case UsbModel::piix4_uhci:
        return "piix4-usb-uhci";
    case UsbModel::ehci:
        return "usb-ehci";
    case UsbModel::ich9_ehci1:
        return "ich9-usb-ehci1";
    case UsbModel::ich9_uhci1:
        return "ich9-usb-uhci1";
    case UsbModel::ich9_uhci2:
        return "ich9-usb-uhci2";
    case UsbModel::ich9_uhci3:
        return "ich9-usb-uhci3";
    case UsbModel::vt82c686b_uhci:
        return "vt82c686b-usb-uhci";
    case UsbModel::pci_ohci:
        return "pci-ohci";
    case UsbModel::nec_xhci:
        return "nec-usb-xhci";
    case UsbModel::qemu_xhci:
        return "qemu-xhci";
    default:
        refuse(controller, fmt::format("model '{}'", name_of(model)));
    }
}

/// The EHCI controller that a companion belongs to: it has the same index and no master.
const std::string& master_of(const PlanContext& context, const ControllerDef& companion) {
    for (const ControllerDef& other : context.def.devices.controllers) {
        if (other.type == ControllerType::usb && other.index == companion.index &&
            !other.master_start_port) {
            return alias_of(other.info);
        }
    }
    refuse(companion, "a companion without a master");
}

/// Empty: the guest has no USB.
json usb_device(const PlanContext& context, const ControllerDef& controller) {
    const auto model = controller.model_as<UsbModel>().value_or(UsbModel::piix3_uhci);
    if (model == UsbModel::none) {
        return nullptr;
    }
    json device = json::object();
    device["driver"] = usb_driver(controller, model);
    if (controller.ports) {
        if (model != UsbModel::nec_xhci && model != UsbModel::qemu_xhci) {
            refuse(controller, "ports with a controller that is not xhci");
        }
        device["p2"] = *controller.ports;
        device["p3"] = *controller.ports;
    }
    if (controller.master_start_port) {
        device["masterbus"] = master_of(context, controller) + ".0";
        device["firstport"] = *controller.master_start_port;
    } else {
        device["id"] = alias_of(controller.info);
    }
    return device;
}

void add_port(const ControllerDef& controller, json& device) {
    device["port"] = controller.target.port.value_or(0);
    device["chassis"] = controller.target.chassis.value_or(0);
    set_on_off(device, "hotplug", controller.target.hotplug);
}

/// Null for the roots, which are the machine's.
json pci_device(const ControllerDef& controller) {
    const auto model = controller.model_as<PciModel>().value_or(PciModel::pci_root);
    json device = json::object();
    switch (model) {
    case PciModel::pci_root:
    case PciModel::pcie_root:
        return nullptr;
    case PciModel::pci_bridge:
        device["chassis_nr"] = controller.target.chassis_nr.value_or(0);
        break;
    case PciModel::pcie_root_port:
    case PciModel::pcie_switch_downstream_port:
        add_port(controller, device);
        break;
    case PciModel::pci_expander_bus:
    case PciModel::pcie_expander_bus:
        device["bus_nr"] = controller.target.bus_nr.value_or(0);
        if (controller.target.numa_node) {
            device["numa_node"] = *controller.target.numa_node;
        }
        break;
    case PciModel::dmi_to_pci_bridge:
    case PciModel::pcie_to_pci_bridge:
    case PciModel::pcie_switch_upstream_port:
        break;
    }
    if (!controller.pci_device) {
        throw Error(ErrorCode::internal,
                    "pci controller {} has no device name yet",
                    controller.index.value_or(0));
    }
    device["driver"] = name_of(*controller.pci_device);
    return device;
}

json virtio_serial_device(const ControllerDef& controller) {
    json device = json::object();
    device["driver"] =
        virtio_device("virtio-serial",
                      controller.info,
                      controller.model_as<VirtioModel>().value_or(VirtioModel::virtio));
    add_common(controller, device);
    if (controller.ports) {
        device["max_ports"] = *controller.ports;
    }
    if (controller.vectors) {
        device["vectors"] = *controller.vectors;
    }
    return device;
}

json plain_device(const char* driver) {
    json device = json::object();
    device["driver"] = driver;
    return device;
}

bool is_first(const ControllerDef& controller) {
    return controller.index.value_or(0) == 0;
}

/// The floppy controller: only newer machines leave it to be added.
json fdc_device(const PlanContext& context) {
    json device = json::object();
    device["driver"] = "isa-fdc";
    for (const DiskDef& disk : context.def.devices.disks) {
        const auto index = context.boot.of(disk.info);
        const DriveAddress* at = disk.info.drive();
        if (disk.target.bus == DiskBus::fdc && index && at != nullptr) {
            device[at->unit == 0 ? "bootindexA" : "bootindexB"] = *index;
        }
    }
    return device;
}

json controller_device(const PlanContext& context, const ControllerDef& controller) {
    switch (controller.type) {
    case ControllerType::scsi:
        return scsi_device(controller);
    case ControllerType::usb:
        return usb_device(context, controller);
    case ControllerType::pci:
        return pci_device(controller);
    case ControllerType::virtio_serial:
        return virtio_serial_device(controller);
    case ControllerType::ccid:
        return plain_device("usb-ccid");
    case ControllerType::fdc:
        return has_own_floppy_controller(context.def.os) ? json() : fdc_device(context);
    case ControllerType::sata:
        return context.def.os.is_q35() && is_first(controller) ? json() : plain_device("ahci");
    case ControllerType::ide:
        if (context.def.os.is_i440fx() && is_first(controller)) {
            return nullptr;
        }
        refuse(controller, "an IDE controller that the machine does not have");
    default:
        refuse(controller, "this type");
    }
}

} // namespace

bool has_own_floppy_controller(const OsDef& os) {
    if (!os.is_q35()) {
        return true;
    }
    // QEMU took it out of q35 with version 2.4; a machine's name says which version it mimics.
    const std::string machine = os.machine.value_or("");
    return machine == "pc-q35-2.0" || machine == "pc-q35-2.1" || machine == "pc-q35-2.2" ||
           machine == "pc-q35-2.3" || machine.starts_with("pc-q35-1.");
}

Plan plan_controller(const PlanContext& context, const ControllerDef& controller) {
    json device = controller_device(context, controller);
    if (device.is_null()) {
        return {};
    }
    require_type(
        context,
        device.at("driver").get<std::string>(),
        fmt::format("{} controller {}", name_of(controller.type), controller.index.value_or(0)));
    if (controller.type != ControllerType::usb && controller.type != ControllerType::fdc) {
        device["id"] = alias_of(controller.info);
    }
    add_address(context, device, controller.info);
    Plan plan;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
