// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/unplanned.hpp"

#include "qemu-driver/model/problem.hpp"

namespace vireo::qemu {

namespace {

constexpr const char* text = "this device is not supported yet: remove it";

template <class D>
void refuse_any(const std::vector<D>& devices, const char* element) {
    if (!devices.empty()) {
        refuse(devices.front().info.where, element, text);
    }
}

template <class D>
void refuse_any(const std::optional<D>& device, const char* element) {
    if (device) {
        refuse(device->info.where, element, text);
    }
}

void refuse_if(bool there, const DomainDef& def, const char* element) {
    if (there) {
        refuse(def.where, element, "this element is not supported yet: remove it");
    }
}

} // namespace

void refuse_unplanned(const DomainDef& def) {
    refuse_if(def.genid.has_value(), def, "genid");
    refuse_if(def.cputune.has_value(), def, "cputune");
    refuse_if(def.memtune.has_value(), def, "memtune");
    refuse_if(def.blkiotune.has_value(), def, "blkiotune");
    refuse_if(def.numatune.has_value(), def, "numatune");
    refuse_if(!def.sysinfos.empty(), def, "sysinfo");
    refuse_if(def.qemu_deprecation.has_value(), def, "qemu:deprecation");
    refuse_if(!def.qemu_overrides.empty(), def, "qemu:override");
    const Devices& devices = def.devices;
    refuse_any(devices.sounds, "sound");
    refuse_any(devices.hubs, "hub");
    refuse_any(devices.hostdevs, "hostdev");
    refuse_any(devices.filesystems, "filesystem");
    refuse_any(devices.redirdevs, "redirdev");
    refuse_any(devices.smartcards, "smartcard");
    refuse_any(devices.tpms, "tpm");
    refuse_any(devices.watchdogs, "watchdog");
    refuse_any(devices.panics, "panic");
    refuse_any(devices.shmems, "shmem");
    refuse_any(devices.memories, "memory");
    refuse_any(devices.iommu, "iommu");
    refuse_any(devices.vsock, "vsock");
    refuse_any(devices.cryptos, "crypto");
}

} // namespace vireo::qemu
