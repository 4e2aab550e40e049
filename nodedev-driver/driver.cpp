// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/driver.hpp"

#include <algorithm>
#include <set>

namespace vireo::nodedev {

std::vector<std::string> Driver::disks_below(const NodeDevice& device) const {
    if (!device.path) {
        return {};
    }
    if (std::holds_alternative<StorageCapability>(device.capability)) {
        return {*device.path};
    }
    const auto below = [&device](const NodeDevice& other) {
        return other.path &&
               (other.path == device.path || other.path->starts_with(*device.path + "/"));
    };
    std::set<std::string> controllers;
    std::vector<std::string> disks;
    for (const auto* group : {&registry.controllers(), &registry.disks()}) {
        for (const auto& [name, other] : *group) {
            if (const auto* nvme = std::get_if<NvmeCapability>(&other->capability);
                nvme != nullptr && below(*other)) {
                controllers.insert(nvme->controller);
            }
            const auto* disk = std::get_if<StorageCapability>(&other->capability);
            const bool reached =
                disk != nullptr && disk->nvme_namespace &&
                std::ranges::any_of(disk->nvme_namespace->controllers,
                                    [&](const auto& c) { return controllers.contains(c); });
            if (disk != nullptr && (reached || below(*other))) {
                disks.push_back(*other->path);
            }
        }
    }
    return disks;
}

std::vector<DeviceUse> Driver::uses(const NodeDevice& device) {
    const std::vector<std::string> disks = disks_below(device);
    if (disks.empty()) {
        return {};
    }
    // One reading serves all that is asked in one turn of the loop: a client that asks for
    // everything asks for each device.
    if (!tables_ || tables_read_ != loop.now()) {
        tables_.emplace(sources.sysfs);
        tables_read_ = loop.now();
    }
    std::set<DeviceUse> found;
    for (const std::string& disk : disks) {
        for (DeviceUse& use : disk_uses(sources.sysfs, *tables_, disk)) {
            found.insert(std::move(use));
        }
    }
    return {found.begin(), found.end()};
}

} // namespace vireo::nodedev
