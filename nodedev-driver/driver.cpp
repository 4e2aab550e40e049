// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/driver.hpp"

namespace vireo::nodedev {

Driver::Turn& Driver::this_turn() {
    if (turn_ && turn_->time == loop.now() && turn_->generation == registry.generation()) {
        return *turn_;
    }
    turn_.emplace(Turn{.time = loop.now(),
                       .generation = registry.generation(),
                       .tables = UseTables(sources.sysfs),
                       .disks = {},
                       .controllers = {},
                       .shared = {},
                       .uses = {}});
    for (const auto& [name, device] : registry.controllers()) {
        turn_->controllers.emplace(*device->path,
                                   std::get<NvmeCapability>(device->capability).controller);
    }
    for (const auto& [name, device] : registry.disks()) {
        turn_->disks.insert(*device->path);
        const auto& space = std::get<StorageCapability>(device->capability).nvme_namespace;
        for (const std::string& controller :
             space ? space->controllers : std::vector<std::string>{}) {
            turn_->shared[controller].push_back(*device->path);
        }
    }
    return *turn_;
}

std::set<std::string> Driver::disks_below(const Turn& turn, const NodeDevice& device) {
    if (!device.path) {
        return {};
    }
    if (std::holds_alternative<StorageCapability>(device.capability)) {
        return {*device.path};
    }
    std::set<std::string> disks;
    const std::string below = *device.path + "/";
    for (auto disk = turn.disks.lower_bound(below);
         disk != turn.disks.end() && disk->starts_with(below);
         ++disk) {
        disks.insert(*disk);
    }
    const auto add_reached = [&](const std::string& controller) {
        const auto reached = turn.shared.find(controller);
        if (reached != turn.shared.end()) {
            disks.insert(reached->second.begin(), reached->second.end());
        }
    };
    if (const auto* nvme = std::get_if<NvmeCapability>(&device.capability)) {
        add_reached(nvme->controller);
    }
    for (auto controller = turn.controllers.lower_bound(below);
         controller != turn.controllers.end() && controller->first.starts_with(below);
         ++controller) {
        add_reached(controller->second);
    }
    return disks;
}

std::vector<DeviceUse> Driver::uses(const NodeDevice& device) {
    Turn& turn = this_turn();
    std::set<DeviceUse> found;
    for (const std::string& disk : disks_below(turn, device)) {
        auto known = turn.uses.find(disk);
        if (known == turn.uses.end()) {
            known = turn.uses.emplace(disk, disk_uses(sources.sysfs, turn.tables, disk)).first;
        }
        found.insert(known->second.begin(), known->second.end());
    }
    return {found.begin(), found.end()};
}

} // namespace vireo::nodedev
