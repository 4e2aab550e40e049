// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/assign_aliases.hpp"

#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/disk_name.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace vireo::qemu {

namespace {

/// `prefix` and the lowest number that makes a name nobody has.
class Names {
  public:
    void take(const DeviceInfo& info) {
        if (info.alias) {
            taken_.insert(*info.alias);
        }
    }

    void give(DeviceInfo& info, std::string_view prefix) {
        if (info.alias) {
            return;
        }
        std::string name;
        auto [next, first] = next_.try_emplace(std::string(prefix), 0);
        do {
            name = fmt::format("{}{}", prefix, next->second++);
        } while (taken_.contains(name));
        taken_.insert(name);
        info.alias = std::move(name);
    }

  private:
    std::set<std::string> taken_;
    std::map<std::string, uint32_t> next_;
};

/// Whether SCSI devices on that controller have a target and a LUN; the others have a unit alone.
bool has_targets(const DomainDef& def, uint32_t controller) {
    const ControllerDef* c = find_controller(def, ControllerType::scsi, controller);
    const auto model = c != nullptr ? c->model_as<ScsiModel>() : std::nullopt;
    return model != ScsiModel::lsilogic;
}

std::string drive_alias(const DomainDef& def, DiskBus bus, const DriveAddress& at) {
    if (bus == DiskBus::scsi && has_targets(def, at.controller)) {
        return fmt::format("scsi{}-{}-{}-{}", at.controller, at.bus, at.target, at.unit);
    }
    return fmt::format("{}{}-{}-{}", name_of(bus), at.controller, at.bus, at.unit);
}

void name_disk(const DomainDef& def, DiskDef& disk, Names& names) {
    if (disk.info.alias) {
        return;
    }
    const DiskBus bus = disk.target.bus.value_or(DiskBus::virtio);
    const bool on_drive =
        bus == DiskBus::ide || bus == DiskBus::scsi || bus == DiskBus::sata || bus == DiskBus::fdc;
    if (on_drive && disk.info.drive() != nullptr) {
        disk.info.alias = drive_alias(def, bus, *disk.info.drive());
        return;
    }
    const std::string prefix =
        bus == DiskBus::virtio ? "virtio-disk" : fmt::format("{}-disk", name_of(bus));
    if (const auto number = disk_index(disk.target.dev)) {
        disk.info.alias = fmt::format("{}{}", prefix, *number);
    } else {
        names.give(disk.info, prefix);
    }
}

std::string controller_alias(const DomainDef& def, const ControllerDef& c) {
    const uint32_t index = *c.index;
    switch (c.type) {
    case ControllerType::pci:
        if (c.is_pci(PciModel::pcie_root)) {
            return "pcie.0";
        }
        // Conventional buses of QEMU have numbers; the root of i440fx is one of them.
        return fmt::format("pci.{}", index);
    case ControllerType::ide:
        if (index == 0 && def.os.is_i440fx()) {
            return "ide";
        }
        break;
    case ControllerType::sata:
        if (index == 0 && def.os.is_q35()) {
            return "ide"; // the name that QEMU gives the chipset's own
        }
        break;
    case ControllerType::usb:
        if (index == 0) {
            return "usb";
        }
        break;
    default:
        break;
    }
    return fmt::format("{}{}", name_of(c.type), index);
}

std::string_view memory_prefix(MemoryDeviceModel model) {
    switch (model) {
    case MemoryDeviceModel::dimm:
        return "dimm";
    case MemoryDeviceModel::nvdimm:
        return "nvdimm";
    case MemoryDeviceModel::virtio_pmem:
        return "virtiopmem";
    case MemoryDeviceModel::virtio_mem:
        return "virtiomem";
    case MemoryDeviceModel::sgx_epc:
        return "epc";
    }
    return "dimm";
}

/// What sits in a slot is named by it, so that the name stays with the slot.
void name_memory(MemoryDeviceDef& memory, Names& names) {
    const auto* at = std::get_if<DimmAddress>(&memory.info.address);
    if (at && at->slot && !memory.info.alias) {
        memory.info.alias = fmt::format("{}{}", memory_prefix(memory.model), *at->slot);
    } else {
        names.give(memory.info, memory_prefix(memory.model));
    }
}

} // namespace

void assign_aliases(DomainDef& def) {
    Devices& devices = def.devices;
    Names names;
    for_each_device(devices, [&](const auto& device) { names.take(device.info); });
    for (ControllerDef& c : devices.controllers) {
        if (!c.info.alias) {
            c.info.alias = controller_alias(def, c);
        }
    }
    for (DiskDef& disk : devices.disks) {
        name_disk(def, disk, names);
    }
    const auto give_all = [&](auto& list, std::string_view prefix) {
        for (auto& device : list) {
            names.give(device.info, prefix);
        }
    };
    for (InterfaceDef& interface : devices.interfaces) {
        names.give(interface.info, interface.type() == InterfaceType::hostdev ? "hostdev" : "net");
    }
    give_all(devices.filesystems, "fs");
    give_all(devices.sounds, "sound");
    give_all(devices.hostdevs, "hostdev");
    give_all(devices.redirdevs, "redir");
    give_all(devices.videos, "video");
    give_all(devices.inputs, "input");
    give_all(devices.parallels, "parallel");
    give_all(devices.serials, "serial");
    give_all(devices.channels, "channel");
    for (std::size_t i = 0; i < devices.consoles.size(); ++i) {
        ConsoleDef& console = devices.consoles[i];
        if (i == 0 && console.target_type == ConsoleTargetType::serial &&
            !devices.serials.empty()) {
            console.info.alias = devices.serials.front().info.alias; // the same device
        } else {
            names.give(console.info, "console");
        }
    }
    give_all(devices.hubs, "hub");
    give_all(devices.shmems, "shmem");
    give_all(devices.smartcards, "smartcard");
    give_all(devices.watchdogs, "watchdog");
    if (devices.memballoon) {
        names.give(devices.memballoon->info, "balloon");
    }
    give_all(devices.rngs, "rng");
    give_all(devices.tpms, "tpm");
    for (MemoryDeviceDef& memory : devices.memories) {
        name_memory(memory, names);
    }
    give_all(devices.panics, "panic");
    if (devices.iommu) {
        names.give(devices.iommu->info, "iommu");
    }
    if (devices.vsock) {
        names.give(devices.vsock->info, "vsock");
    }
    give_all(devices.cryptos, "crypto");
}

} // namespace vireo::qemu
