// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

/// Visits every device of a domain, for passes that treat all alike (addresses, aliases).
namespace vireo::qemu {

/// Calls `visit(device)` for each device that has a DeviceInfo; `D` is `Devices`, const or not.
template <class D, class F>
void for_each_device(D& devices, F&& visit) {
    const auto all = [&](auto&... lists) {
        (
            [&](auto& list) {
                for (auto& device : list) {
                    visit(device);
                }
            }(lists),
            ...);
    };
    const auto one = [&](auto& device) {
        if (device) {
            visit(*device);
        }
    };
    all(devices.disks,
        devices.interfaces,
        devices.sounds,
        devices.hostdevs,
        devices.filesystems,
        devices.controllers,
        devices.smartcards,
        devices.serials,
        devices.parallels,
        devices.channels,
        devices.consoles,
        devices.inputs,
        devices.videos,
        devices.hubs,
        devices.redirdevs,
        devices.watchdogs);
    one(devices.memballoon);
    all(devices.rngs, devices.shmems, devices.tpms, devices.panics, devices.memories);
    one(devices.iommu);
    one(devices.vsock);
    all(devices.cryptos);
}

} // namespace vireo::qemu
