// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

/// The devices that can join a running guest and leave it, whatever their kind.
namespace vireo::qemu {

using Device = std::variant<MemoryDeviceDef,
                            DiskDef,
                            HostdevDef,
                            ControllerDef,
                            InputDef,
                            RngDef,
                            WatchdogDef,
                            ShmemDef,
                            RedirdevDef>;

/// Its list among a guest's devices; `D` is `Devices`, const or not.
template <class D>
auto& list_of(D& devices, const MemoryDeviceDef&) {
    return devices.memories;
}

template <class D>
auto& list_of(D& devices, const DiskDef&) {
    return devices.disks;
}

template <class D>
auto& list_of(D& devices, const HostdevDef&) {
    return devices.hostdevs;
}

template <class D>
auto& list_of(D& devices, const ControllerDef&) {
    return devices.controllers;
}

template <class D>
auto& list_of(D& devices, const InputDef&) {
    return devices.inputs;
}

template <class D>
auto& list_of(D& devices, const RngDef&) {
    return devices.rngs;
}

template <class D>
auto& list_of(D& devices, const WatchdogDef&) {
    return devices.watchdogs;
}

template <class D>
auto& list_of(D& devices, const ShmemDef&) {
    return devices.shmems;
}

template <class D>
auto& list_of(D& devices, const RedirdevDef&) {
    return devices.redirdevs;
}

/// What messages call it: `disk 'vda'`, `memory device 'dimm0'`, `watchdog`.
std::string words_of(const Device& device);
const DeviceInfo& info_of(const Device& device);
DeviceInfo& info_of(Device& device);

/// The device of one of these kinds that has the alias.
std::optional<Device> device_named(const DomainDef& def, const std::string& alias);

/// The place, in its list, of the device that another document means: a disk by its target, others
/// by alias or address where these are given, or else the only one that is alike. Throws
/// device_missing where there is none, operation_failed where there are several.
std::size_t find_device(const DomainDef& def, const Device& wanted);
/// The device at that place of the list that `kind` belongs to.
Device device_at(const DomainDef& def, const Device& kind, std::size_t place);

/// It joins the guest or leaves it: what depends on it follows (totals of memory).
void add_device(DomainDef& def, Device device);
void remove_device(DomainDef& def, const Device& kind, std::size_t place);

} // namespace vireo::qemu
