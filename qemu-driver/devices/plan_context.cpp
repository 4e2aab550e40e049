// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_context.hpp"

#include "libshared/error.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

/// 0 to 2 are the standard streams.
constexpr int first_descriptor = 3;

std::string DescriptorList::pass(Descriptor descriptor) {
    descriptor.number = first_descriptor + static_cast<int>(descriptors_.size());
    std::string reference = naming_ == Naming::numbers
                                ? std::to_string(descriptor.number)
                                : fmt::format("fd-{}-{}", descriptor.owner, descriptor.number);
    descriptors_.push_back(std::move(descriptor));
    return reference;
}

std::string
DescriptorList::pass_as_path(Descriptor descriptor, Plan& plan, std::string_view label) {
    const unsigned set = next_set_++;
    add_to_set(set, std::move(descriptor), plan, std::string(label));
    return fmt::format("/dev/fdset/{}", set);
}

std::string DescriptorList::pass_as_path(std::vector<Descriptor> descriptors,
                                         Plan& plan,
                                         std::string_view label) {
    const unsigned set = next_set_++;
    for (size_t i = 0; i < descriptors.size(); ++i) {
        add_to_set(set, std::move(descriptors[i]), plan, fmt::format("{}{}", label, i));
    }
    return fmt::format("/dev/fdset/{}", set);
}

void DescriptorList::add_to_set(unsigned set,
                                Descriptor descriptor,
                                Plan& plan,
                                const std::string& label) {
    const std::string fd = pass(std::move(descriptor));
    Step step = option_step("-add-fd",
                            OptionText().add("set", set).add("fd", fd).add("opaque", label).take());
    step.command = "add-fd";
    step.props = json::object();
    step.props["fdset-id"] = set;
    step.props["opaque"] = label;
    plan.push_back(std::move(step));
}

namespace {

/// Takes the place that a class of devices has in `<os><boot>`, once.
class ClassPlaces {
  public:
    explicit ClassPlaces(const OsDef& os) {
        uint32_t place = 0;
        for (const BootDevice device : os.boot_devices) {
            places_.emplace(device, ++place);
        }
    }

    uint32_t take(BootDevice device) {
        const auto found = places_.find(device);
        return found == places_.end() ? 0 : std::exchange(found->second, 0);
    }

  private:
    std::map<BootDevice, uint32_t> places_;
};

BootDevice boot_class(DiskDevice device) {
    switch (device) {
    case DiskDevice::cdrom:
        return BootDevice::cdrom;
    case DiskDevice::floppy:
        return BootDevice::fd;
    case DiskDevice::disk:
    case DiskDevice::lun:
        break;
    }
    return BootDevice::hd;
}

} // namespace

BootOrder::BootOrder(const DomainDef& def) {
    ClassPlaces places(def.os);
    const auto place = [&](const DeviceInfo& info, BootDevice device) {
        if (info.boot) {
            places_.emplace(&info, info.boot->order);
        } else if (const uint32_t taken = places.take(device)) {
            places_.emplace(&info, taken);
        }
    };
    for (const DiskDef& disk : def.devices.disks) {
        place(disk.info, boot_class(disk.device));
    }
    for (const InterfaceDef& interface : def.devices.interfaces) {
        place(interface.info, BootDevice::network);
    }
}

std::optional<uint32_t> BootOrder::of(const DeviceInfo& info) const {
    if (const auto found = places_.find(&info); found != places_.end()) {
        return found->second;
    }
    return info.boot ? std::optional(info.boot->order) : std::nullopt;
}

const std::string& alias_of(const DeviceInfo& info) {
    if (!info.alias) {
        throw Error(ErrorCode::internal, "a device on line {} has no alias yet", info.where.line);
    }
    return *info.alias;
}

const std::string&
controller_alias(const DomainDef& def, ControllerType type, uint32_t index, std::string_view user) {
    for (const ControllerDef& controller : def.devices.controllers) {
        if (controller.type == type && controller.index == index) {
            // The root of PCI is part of the machine: QEMU names it, whatever the document says.
            static const std::string pci_root = "pci.0", pcie_root = "pcie.0";
            if (controller.is_pci(PciModel::pci_root)) {
                return pci_root;
            }
            if (controller.is_pci(PciModel::pcie_root)) {
                return pcie_root;
            }
            return alias_of(controller.info);
        }
    }
    throw Error(ErrorCode::xml_error,
                "device '{}' is on {} controller {}, which the domain does not have",
                user,
                name_of(type),
                index);
}

namespace {

/// Fills in the place for each kind of address.
class AddressWriter {
  public:
    AddressWriter(const PlanContext& context, json& device, const DeviceInfo& info)
        : context_(context), device_(device), info_(info) {}

    void operator()(const PciAddress& address) const {
        device_["bus"] = controller(ControllerType::pci, address.bus);
        device_["addr"] = address.function == 0
                              ? fmt::format("{:#x}", address.slot)
                              : fmt::format("{:#x}.{:#x}", address.slot, address.function);
        if (address.multifunction == OnOff::on) {
            device_["multifunction"] = true;
        } else if (address.multifunction == OnOff::off) {
            device_["multifunction"] = false;
        }
        add_rom();
        if (info_.acpi_index) {
            device_["acpi-index"] = *info_.acpi_index;
        }
    }

    void operator()(const UsbAddress& address) const {
        device_["bus"] = controller(ControllerType::usb, address.bus) + ".0";
        if (address.port) {
            device_["port"] = fmt::format("{}", fmt::join(address.port->path, "."));
        }
    }

    void operator()(const VirtioSerialAddress& address) const {
        device_["bus"] = fmt::format(
            "{}.{}", controller(ControllerType::virtio_serial, address.controller), address.bus);
        device_["nr"] = address.port.value_or(0);
    }

    void operator()(const CcidAddress& address) const {
        device_["bus"] = controller(ControllerType::ccid, address.controller) + ".0";
    }

    void operator()(const IsaAddress& address) const {
        if (address.iobase) {
            device_["iobase"] = *address.iobase;
        }
        if (address.irq) {
            device_["irq"] = *address.irq;
        }
    }

    // A disk's plan writes its own, since it depends on the controller's model; a memory device's
    // slot is no bus; the others name no place.
    void operator()(const DriveAddress&) const {}

    void operator()(const DimmAddress&) const {}

    void operator()(const VirtioMmioAddress&) const {}

    void operator()(const UnassignedAddress&) const {}

    void operator()(std::monostate) const {}

  private:
    const std::string& controller(ControllerType type, uint32_t index) const {
        return controller_alias(context_.def, type, index, info_.alias.value_or("?"));
    }

    void add_rom() const {
        if (!info_.rom) {
            return;
        }
        if (info_.rom->enabled == YesNo::no) {
            device_["romfile"] = "";
            return;
        }
        if (info_.rom->bar) {
            device_["rombar"] = *info_.rom->bar == OnOff::on ? 1 : 0;
        }
        if (info_.rom->file) {
            device_["romfile"] = *info_.rom->file;
        }
    }

    const PlanContext& context_;
    json& device_;
    const DeviceInfo& info_;
};

} // namespace

void add_address(const PlanContext& context, json& device, const DeviceInfo& info) {
    std::visit(AddressWriter(context, device, info), info.address);
}

void set_on_off(json& device, const char* key, const std::optional<OnOff>& value) {
    if (value) {
        device[key] = *value == OnOff::on;
    }
}

void add_virtio_options(json& device, const VirtioOptions& options) {
    set_on_off(device, "iommu_platform", options.iommu);
    set_on_off(device, "ats", options.ats);
    set_on_off(device, "packed", options.packed);
    set_on_off(device, "page-per-vq", options.page_per_vq);
}

void add_boot_index(const PlanContext& context, json& device, const DeviceInfo& info) {
    if (const auto index = context.boot.of(info)) {
        device["bootindex"] = *index;
    }
}

std::string virtio_device(std::string_view base, const DeviceInfo& info, VirtioModel model) {
    if (!info.pci()) {
        throw Error(ErrorCode::config_unsupported,
                    "device '{}': a virtio device must have an address on PCI",
                    info.alias.value_or(std::string(base)));
    }
    std::string name = fmt::format("{}-pci", base);
    switch (model) {
    case VirtioModel::virtio:
        break;
    case VirtioModel::virtio_transitional:
        name += "-transitional";
        break;
    case VirtioModel::virtio_non_transitional:
        name += "-non-transitional";
        break;
    }
    return name;
}

void require_type(const PlanContext& context, std::string_view type, std::string_view element) {
    // QEMU lists these under their long names only.
    const std::string_view listed = type == "lsi"    ? "lsi53c895a"
                                    : type == "ahci" ? "ich9-ahci"
                                                     : type;
    if (!context.caps.has_type(listed)) {
        throw Error(ErrorCode::config_unsupported,
                    "{}: '{}' has no device '{}'",
                    element,
                    context.caps.binary,
                    type);
    }
}

} // namespace vireo::qemu
