// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/guest_devices.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/model/controllers.hpp"
#include "qemu-driver/model/disk_name.hpp"
#include "qemu-driver/model/host_functions.hpp"
#include "qemu-driver/model/memory_devices.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

/// One function for each kind.
struct Words {
    std::string operator()(const MemoryDeviceDef& memory) const {
        return with_alias("memory device", memory.info);
    }

    std::string operator()(const DiskDef& disk) const {
        return fmt::format("disk '{}'", disk.target.dev);
    }

    std::string operator()(const HostdevDef& hostdev) const {
        if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source)) {
            return "hostdev " + format_function(pci->address);
        }
        return with_alias("hostdev", hostdev.info);
    }

    std::string operator()(const ControllerDef& controller) const {
        return fmt::format(
            "{} controller {}", name_of(controller.type), controller.index.value_or(0));
    }

    std::string operator()(const InputDef& input) const { return with_alias("input", input.info); }

    std::string operator()(const RngDef& rng) const { return with_alias("rng", rng.info); }

    std::string operator()(const WatchdogDef& watchdog) const {
        return with_alias("watchdog", watchdog.info);
    }

    std::string operator()(const ShmemDef& shmem) const {
        return fmt::format("shmem '{}'", shmem.name);
    }

    std::string operator()(const RedirdevDef& redirdev) const {
        return with_alias("redirdev", redirdev.info);
    }

  private:
    static std::string with_alias(const char* kind, const DeviceInfo& info) {
        return info.alias ? fmt::format("{} '{}'", kind, *info.alias) : std::string(kind);
    }
};

/// What two documents of one device have in common.
struct Alike {
    bool operator()(const DiskDef& known, const DiskDef& wanted) const {
        return known.target.dev == wanted.target.dev &&
               (!wanted.target.bus || known.target.bus == wanted.target.bus);
    }

    bool operator()(const HostdevDef& known, const HostdevDef& wanted) const {
        const auto* pci = std::get_if<PciHostdev>(&known.source);
        const auto* other = std::get_if<PciHostdev>(&wanted.source);
        if (pci != nullptr && other != nullptr) {
            return same_place(pci->address, other->address);
        }
        const auto* usb = std::get_if<UsbHostdev>(&known.source);
        const auto* wanted_usb = std::get_if<UsbHostdev>(&wanted.source);
        if (usb != nullptr && wanted_usb != nullptr) {
            return (!wanted_usb->vendor || usb->vendor == wanted_usb->vendor) &&
                   (!wanted_usb->product || usb->product == wanted_usb->product) &&
                   (!wanted_usb->bus || usb->bus == wanted_usb->bus) &&
                   (!wanted_usb->device || usb->device == wanted_usb->device);
        }
        const auto* mdev = std::get_if<MdevHostdev>(&known.source);
        const auto* wanted_mdev = std::get_if<MdevHostdev>(&wanted.source);
        return mdev != nullptr && wanted_mdev != nullptr && mdev->uuid == wanted_mdev->uuid;
    }

    bool operator()(const ControllerDef& known, const ControllerDef& wanted) const {
        return known.type == wanted.type && (!wanted.index || known.index == wanted.index);
    }

    bool operator()(const InputDef& known, const InputDef& wanted) const {
        return known.type == wanted.type && (!wanted.bus || known.bus == wanted.bus);
    }

    bool operator()(const RngDef& known, const RngDef& wanted) const {
        return known.model == wanted.model && known.backend.index() == wanted.backend.index();
    }

    bool operator()(const WatchdogDef& known, const WatchdogDef& wanted) const {
        return known.model == wanted.model;
    }

    bool operator()(const ShmemDef& known, const ShmemDef& wanted) const {
        return known.name == wanted.name;
    }

    bool operator()(const RedirdevDef& known, const RedirdevDef& wanted) const {
        return known.source.backend.index() == wanted.source.backend.index();
    }
};

bool same_pci_place(const DeviceInfo& known, const DeviceInfo& wanted) {
    const PciAddress* one = known.pci();
    const PciAddress* other = wanted.pci();
    return one != nullptr && other != nullptr && same_place(*one, *other);
}

template <class T>
std::vector<std::size_t> places_of(const DomainDef& def, const T& wanted) {
    const auto& list = list_of(def.devices, wanted);
    std::vector<std::size_t> places;
    const DeviceInfo& info = wanted.info;
    const bool named = info.alias && std::ranges::any_of(list, [&](const T& known) {
                           return known.info.alias == info.alias;
                       });
    const bool placed = info.pci() != nullptr && info.pci()->is_set();
    // A target is a disk's own name, and stays where the rest of a document is another.
    constexpr bool is_disk = std::is_same_v<T, DiskDef>;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const bool fits = named && !is_disk    ? list[i].info.alias == info.alias
                          : placed && !is_disk ? same_pci_place(list[i].info, info)
                                               : Alike()(list[i], wanted);
        if (fits) {
            places.push_back(i);
        }
    }
    return places;
}

template <class T>
std::size_t find_one(const DomainDef& def, const T& wanted) {
    const char* where = def.id ? "the running guest" : "the definition";
    const std::vector<std::size_t> places = places_of(def, wanted);
    if (places.empty()) {
        throw Error(ErrorCode::device_missing, "{} has no {}", where, Words()(wanted));
    }
    if (places.size() > 1) {
        throw Error(ErrorCode::operation_failed,
                    "{} devices of {} fit {}: say which by its <alias> or <address>",
                    places.size(),
                    where,
                    Words()(wanted));
    }
    return places.front();
}

std::size_t find_one(const DomainDef& def, const MemoryDeviceDef& wanted) {
    return find_memory_device(def, wanted);
}

/// Disks stand sorted by their target within a bus.
void add_one(DomainDef& def, DiskDef disk) {
    auto& disks = def.devices.disks;
    auto place = disks.end();
    for (auto other = disks.begin(); other != disks.end(); ++other) {
        if (other->target.bus != disk.target.bus) {
            continue;
        }
        place = std::next(other);
        if (disk_index(other->target.dev) > disk_index(disk.target.dev)) {
            place = other;
            break;
        }
    }
    disks.insert(place, std::move(disk));
}

void add_one(DomainDef& def, MemoryDeviceDef memory) {
    add_memory_device(def, std::move(memory));
}

void add_one(DomainDef& def, ControllerDef controller) {
    insert_controller(def, std::move(controller));
}

template <class T>
void add_one(DomainDef& def, T device) {
    list_of(def.devices, device).push_back(std::move(device));
}

} // namespace

std::string words_of(const Device& device) {
    return std::visit(Words(), device);
}

const DeviceInfo& info_of(const Device& device) {
    return std::visit([](const auto& one) -> const DeviceInfo& { return one.info; }, device);
}

DeviceInfo& info_of(Device& device) {
    return std::visit([](auto& one) -> DeviceInfo& { return one.info; }, device);
}

std::optional<Device> device_named(const DomainDef& def, const std::string& alias) {
    std::optional<Device> found;
    const auto look = [&](const auto& list) {
        for (const auto& device : list) {
            if (device.info.alias == alias) {
                found = device;
            }
        }
    };
    const Devices& devices = def.devices;
    look(devices.memories);
    look(devices.disks);
    look(devices.hostdevs);
    look(devices.controllers);
    look(devices.inputs);
    look(devices.rngs);
    look(devices.watchdogs);
    look(devices.shmems);
    look(devices.redirdevs);
    return found;
}

std::size_t find_device(const DomainDef& def, const Device& wanted) {
    return std::visit([&](const auto& one) { return find_one(def, one); }, wanted);
}

Device device_at(const DomainDef& def, const Device& kind, std::size_t place) {
    return std::visit([&](const auto& one) -> Device { return list_of(def.devices, one)[place]; },
                      kind);
}

void add_device(DomainDef& def, Device device) {
    std::visit([&](auto& one) { add_one(def, std::move(one)); }, device);
}

void remove_device(DomainDef& def, const Device& kind, std::size_t place) {
    if (std::holds_alternative<MemoryDeviceDef>(kind)) {
        remove_memory_device(def, place);
        return;
    }
    std::visit(
        [&](const auto& one) {
            auto& list = list_of(def.devices, one);
            list.erase(list.begin() + static_cast<std::ptrdiff_t>(place));
        },
        kind);
}

} // namespace vireo::qemu
