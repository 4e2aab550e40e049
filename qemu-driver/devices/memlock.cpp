// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/memlock.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

bool uses_vfio(const HostdevDef& hostdev) {
    if (std::holds_alternative<UnassignedAddress>(hostdev.info.address)) {
        return false; // held back from the host, not given to the guest
    }
    if (const auto* pci = std::get_if<PciHostdev>(&hostdev.source)) {
        return pci->driver.value_or(PciHostdevDriver::vfio) == PciHostdevDriver::vfio;
    }
    return hostdev.type() == HostdevType::mdev;
}

uint64_t count_vfio(const Devices& devices) {
    const auto functions = std::ranges::count_if(devices.interfaces, [](const InterfaceDef& card) {
        return card.type() == InterfaceType::hostdev;
    });
    return static_cast<uint64_t>(functions + std::ranges::count_if(devices.hostdevs, uses_vfio));
}

bool uses_nvme(const DiskDef& disk) {
    for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
        if (image->type() == DiskType::nvme) {
            return true;
        }
    }
    return false;
}

/// While a disk is copied to a namespace, that pins the memory once more.
bool copies_to_nvme(const DiskDef& disk) {
    return disk.mirror && disk.mirror->job == MirrorJob::copy &&
           disk.mirror->image.type() == DiskType::nvme;
}

uint64_t count_vdpa(const Devices& devices) {
    return static_cast<uint64_t>(
        std::ranges::count_if(devices.interfaces, [](const InterfaceDef& card) {
            return card.type() == InterfaceType::vdpa;
        }));
}

/// How many times the guest's memory is pinned.
uint64_t count_mappings(const Devices& devices) {
    const uint64_t vfio = count_vfio(devices);
    // All VFIO devices share one address space, unless an IOMMU of the guest's gives each its own.
    const uint64_t spaces = devices.iommu ? vfio : std::min<uint64_t>(vfio, 1);
    return spaces + count_vdpa(devices) +
           static_cast<uint64_t>(std::ranges::count_if(devices.disks, uses_nvme) +
                                 std::ranges::count_if(devices.disks, copies_to_nvme));
}

} // namespace

uint64_t locked_memory_limit(const DomainDef& def) {
    constexpr uint64_t bytes_per_kib = 1024;
    if (def.memtune && def.memtune->hard_limit_kib) {
        return *def.memtune->hard_limit_kib * bytes_per_kib;
    }
    if (def.memory_backing && def.memory_backing->locked) {
        return unlimited_memory;
    }
    const uint64_t mappings = count_mappings(def.devices);
    if (mappings == 0) {
        return 0;
    }
    // Device memory is mapped too; nothing says how much before the guest runs.
    constexpr uint64_t device_memory_kib = 1024 * 1024;
    return (mappings * def.memory.total_kib + device_memory_kib) * bytes_per_kib;
}

bool pins_memory(const DomainDef& def) {
    return (def.memory_backing && def.memory_backing->locked) || count_mappings(def.devices) > 0;
}

} // namespace vireo::qemu
