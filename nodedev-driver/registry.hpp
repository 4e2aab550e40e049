// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vireo::nodedev {

/// With the numbers of NodeDeviceEvent. libvirt tells of an update by a callback of its own that
/// libvirt-dbus does not pass on, so that it has no number there: this one is Vireo's, far from
/// what libvirt may add.
enum class ChangeKind { created = 0, deleted = 1, updated = 0x10000 };

/// `created`, `deleted`, `updated`
std::string_view word(ChangeKind kind);

/// One thing that happened to the list, in the order in which it is told.
struct Change {
    std::string name;
    ChangeKind kind;

    bool operator==(const Change&) const = default;
};

/// The devices that are there now, by name and by place. A device is never changed in place: who
/// holds one keeps what he read.
class Registry {
  public:
    using Device = std::shared_ptr<const NodeDevice>;

    /// Takes a complete scan for the truth and tells what is new, gone or different.
    std::vector<Change> assign(std::vector<NodeDevice> found);

    /// Takes one device, probed again, for the truth. Nothing found means that it is gone; a device
    /// whose name has changed is a new one. Always tells of a device that was already known, even
    /// where no field differs: somebody said that it changed.
    std::vector<Change> update(const std::string& path, std::optional<NodeDevice> found);

    /// Null if there is none of that name.
    Device find(std::string_view name) const;
    /// Throws no_node_device where find() gives null.
    Device get(std::string_view name) const;

    using Devices = std::map<std::string, Device, std::less<>>;

    /// All devices, by name.
    const Devices& devices() const noexcept { return devices_; }

    /// Those that are disks, and those that are NVMe controllers: what others are asked about.
    const Devices& disks() const noexcept { return disks_; }

    const Devices& controllers() const noexcept { return controllers_; }

    /// Another number after each assign() and update().
    uint64_t generation() const noexcept { return generation_; }

    /// A device that the last assign() or update() removed, as it was; null for others.
    Device removed(std::string_view name) const;

  private:
    void insert(NodeDevice device);
    void keep(const Device& device);
    void remove(const std::string& name);
    std::string parent_of(const std::string& path) const;

    Devices devices_;
    Devices disks_;
    Devices controllers_;
    Devices removed_;
    uint64_t generation_ = 0;
    std::unordered_map<std::string, std::string> name_by_path_;
};

} // namespace vireo::nodedev
