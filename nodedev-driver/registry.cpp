// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/registry.hpp"

#include "libshared/error.hpp"

#include <algorithm>

namespace vireo::nodedev {

std::string_view word(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::created:
        return "created";
    case ChangeKind::deleted:
        return "deleted";
    case ChangeKind::updated:
        break;
    }
    return "updated";
}

/// The nearest device that contains `path` is the parent; sysfs has folders in between that are
/// none (`host0`, `pci0000:00`).
std::string Registry::parent_of(const std::string& path) const {
    std::string folder = path;
    for (auto slash = folder.rfind('/'); slash != std::string::npos && slash > 0;
         slash = folder.rfind('/')) {
        folder.resize(slash);
        const auto found = name_by_path_.find(folder);
        if (found != name_by_path_.end()) {
            return found->second;
        }
    }
    return std::string(computer_name);
}

void Registry::insert(NodeDevice device) {
    if (device.path) {
        if (!device.parent) {
            device.parent = parent_of(*device.path);
        }
        name_by_path_.insert_or_assign(*device.path, device.name);
    }
    keep(std::make_shared<const NodeDevice>(std::move(device)));
}

void Registry::keep(const Device& device) {
    devices_.insert_or_assign(device->name, device);
    if (std::holds_alternative<StorageCapability>(device->capability)) {
        disks_.insert_or_assign(device->name, device);
    } else if (std::holds_alternative<NvmeCapability>(device->capability)) {
        controllers_.insert_or_assign(device->name, device);
    }
}

void Registry::remove(const std::string& name) {
    const auto found = devices_.find(name);
    if (found == devices_.end()) {
        return;
    }
    const auto& path = found->second->path;
    const auto place = path ? name_by_path_.find(*path) : name_by_path_.end();
    if (place != name_by_path_.end() && place->second == name) {
        name_by_path_.erase(place);
    }
    removed_.insert_or_assign(name, found->second);
    disks_.erase(name);
    controllers_.erase(name);
    devices_.erase(found);
}

std::vector<Change> Registry::assign(std::vector<NodeDevice> found) {
    ++generation_;
    const auto before = std::move(devices_);
    devices_.clear();
    disks_.clear();
    controllers_.clear();
    removed_.clear();
    name_by_path_.clear();
    // Parents come first, so that each device finds its own.
    std::ranges::sort(found, {}, [](const NodeDevice& device) { return device.path; });
    for (NodeDevice& device : found) {
        insert(std::move(device));
    }
    std::vector<Change> changes;
    for (const auto& [name, device] : before) {
        if (!devices_.contains(name)) {
            removed_.insert_or_assign(name, device);
            changes.push_back({name, ChangeKind::deleted});
        }
    }
    const Devices now = devices_;
    for (const auto& [name, device] : now) {
        const auto old = before.find(name);
        if (old == before.end()) {
            changes.push_back({name, ChangeKind::created});
        } else if (*old->second != *device) {
            changes.push_back({name, ChangeKind::updated});
        } else {
            keep(old->second);
        }
    }
    return changes;
}

std::vector<Change> Registry::update(const std::string& path, std::optional<NodeDevice> found) {
    ++generation_;
    removed_.clear();
    std::vector<Change> changes;
    const auto known = name_by_path_.find(path);
    const std::string old = known == name_by_path_.end() ? std::string() : known->second;
    if (!old.empty() && (!found || found->name != old)) {
        remove(old);
        changes.push_back({old, ChangeKind::deleted});
    }
    if (found) {
        const std::string name = found->name;
        const bool is_new = !devices_.contains(name);
        if (!is_new) {
            remove(name); // it may have been at another place until now
        }
        insert(std::move(*found));
        changes.push_back({name, is_new ? ChangeKind::created : ChangeKind::updated});
    }
    return changes;
}

Registry::Device Registry::find(std::string_view name) const {
    const auto found = devices_.find(name);
    return found == devices_.end() ? nullptr : found->second;
}

Registry::Device Registry::removed(std::string_view name) const {
    const auto found = removed_.find(name);
    return found == removed_.end() ? nullptr : found->second;
}

Registry::Device Registry::get(std::string_view name) const {
    Device device = find(name);
    if (!device) {
        throw Error(ErrorCode::no_node_device, "no node device with matching name '{}'", name);
    }
    return device;
}

} // namespace vireo::nodedev
