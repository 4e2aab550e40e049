// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/device_document.hpp"

#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/domain_document.hpp"
#include "qemu-driver/model/memory_devices.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

struct Element {
    std::string_view name;
    Device (*read)(const xml::Node& root, const xml::ParseOptions& options);
};

template <class T>
Device read_as(const xml::Node& root, const xml::ParseOptions& options) {
    return xml::read<T>(root, options);
}

constexpr Element elements[]{{"memory", &read_as<MemoryDeviceDef>},
                             {"disk", &read_as<DiskDef>},
                             {"hostdev", &read_as<HostdevDef>},
                             {"controller", &read_as<ControllerDef>},
                             {"input", &read_as<InputDef>},
                             {"rng", &read_as<RngDef>},
                             {"watchdog", &read_as<WatchdogDef>},
                             {"shmem", &read_as<ShmemDef>},
                             {"redirdev", &read_as<RedirdevDef>}};

/// What only a running guest says of it.
void drop_live(Device& device) {
    if (auto* memory = std::get_if<MemoryDeviceDef>(&device)) {
        memory->current_kib.reset();
    } else if (auto* disk = std::get_if<DiskDef>(&device)) {
        disk->mirror.reset();
        for (DiskImage* image = &disk->image; image != nullptr;
             image = image->backing ? &*image->backing : nullptr) {
            image->index.reset();
        }
    }
}

std::string element_of(const Device& device) {
    return std::string(elements[device.index()].name);
}

/// Refuses a second device with this name, which QEMU and clients would take for the first.
void require_free_alias(const DomainDef& live, const Device& device) {
    const DeviceInfo& info = info_of(device);
    if (!info.alias) {
        return;
    }
    for_each_device(live.devices, [&](const auto& other) {
        if (other.info.alias == info.alias) {
            refuse(info.where,
                   element_of(device),
                   "the guest has a device with alias '{}'; give this one another",
                   *info.alias);
        }
    });
}

void require_free_target(const DomainDef& live, const Device& device) {
    const auto* disk = std::get_if<DiskDef>(&device);
    const auto has = [&](const DiskDef& other) { return other.target.dev == disk->target.dev; };
    if (disk != nullptr && std::ranges::any_of(live.devices.disks, has)) {
        refuse(disk->info.where,
               "disk",
               "the guest has a disk with target '{}'; give this one another",
               disk->target.dev);
    }
}

/// The device among those of the trial, where passes may have put it elsewhere in its list.
Device find_placed(const DomainDef& live, const DomainDef& trial, const Device& device) {
    if (const auto* disk = std::get_if<DiskDef>(&device)) {
        const auto& disks = trial.devices.disks;
        return *std::ranges::find_if(
            disks, [&](const DiskDef& other) { return other.target.dev == disk->target.dev; });
    }
    if (const auto* controller = std::get_if<ControllerDef>(&device)) {
        const auto& all = trial.devices.controllers;
        return *std::ranges::find_if(all, [&](const ControllerDef& other) {
            return other.type == controller->type &&
                   (controller->index ? other.index == controller->index
                                      : find_controller(live, other.type, *other.index) == nullptr);
        });
    }
    return std::visit([&](const auto& one) -> Device { return list_of(trial.devices, one).back(); },
                      device);
}

/// Drive controllers that came with the device; PCI bridges cannot be plugged.
std::vector<ControllerDef> new_controllers(const DomainDef& live, const DomainDef& trial) {
    std::vector<ControllerDef> added;
    for (const ControllerDef& controller : trial.devices.controllers) {
        const bool known =
            find_controller(live, controller.type, controller.index.value_or(0)) != nullptr;
        if (!known && controller.type == ControllerType::scsi) {
            added.push_back(controller);
        }
    }
    return added;
}

void require_pluggable_place(const DomainDef& live, const Device& device, const DeviceInfo& info) {
    const PciAddress* at = info.pci();
    if (at != nullptr && find_controller(live, ControllerType::pci, at->bus) == nullptr) {
        refuse(info_of(device).where,
               element_of(device),
               "the running guest has no free PCI slot that a device can be plugged into; add "
               "<controller type='pci' model='pcie-root-port'/> to its definition and start it "
               "again");
    }
    const auto* disk = std::get_if<DiskDef>(&device);
    const DriveAddress* drive = info.drive();
    if (disk == nullptr || drive == nullptr) {
        return;
    }
    const DiskBus bus = disk->target.bus.value_or(DiskBus::none);
    if (bus == DiskBus::ide || bus == DiskBus::sata || bus == DiskBus::fdc) {
        refuse(disk->info.where,
               "disk",
               "bus='{}' cannot be plugged into a running guest; take 'virtio', 'scsi' or 'usb', "
               "or attach it to the definition alone (flag CONFIG, 2)",
               name_of(bus));
    }
}

} // namespace

Device parse_device(std::string_view text, bool keep_alias, xml::Problems* unknowns) {
    const auto document = xml::Document::parse(text);
    const xml::Node root = document.root();
    const auto* element = std::ranges::find(elements, root.name(), &Element::name);
    if (element == std::end(elements)) {
        throw Error(ErrorCode::operation_unsupported,
                    "line {}: <{}> is not a device that can be attached, detached or changed",
                    root.line(),
                    root.name());
    }
    const xml::ParseOptions options{.unknown = xml::Unknown::report, .unknowns = unknowns};
    Device device = element->read(root, options);
    drop_live(device);
    DeviceInfo& info = info_of(device);
    if (!keep_alias && info.alias && !info.alias->starts_with("ua-")) {
        info.alias.reset();
    }
    return device;
}

PlacedDevice placed_in(const DomainDef& live, const Device& device, const HostFacts& facts) {
    require_free_alias(live, device);
    require_free_target(live, device);
    DomainDef trial = live;
    Device added = device;
    if (auto* memory = std::get_if<MemoryDeviceDef>(&added)) {
        align_memory(*memory);
    }
    add_device(trial, std::move(added));
    PassOptions options;
    options.active = true;
    options.plugging = true;
    complete_domain(trial, facts, options);
    assign_aliases(trial);
    PlacedDevice placement{find_placed(live, trial, device), new_controllers(live, trial)};
    for (const ControllerDef& controller : placement.controllers) {
        require_pluggable_place(live, device, controller.info);
    }
    require_pluggable_place(live, placement.device, info_of(placement.device));
    return placement;
}

} // namespace vireo::qemu
