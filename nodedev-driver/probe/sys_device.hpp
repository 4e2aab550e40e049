// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::nodedev {

/// `KEY=VALUE` lines by key.
using Properties = std::map<std::string, std::string, std::less<>>;

/// What is known of one device: its place, the kernel's uevent and udev's database. libvirt sees a
/// device through libudev; this is the same, without the library.
class SysDevice {
  public:
    /// Throws nothing; a path that is no device gives one without subsystem.
    SysDevice(const Sysfs& sysfs, std::string path);

    const std::string& path() const noexcept { return path_; }

    /// Last component of the path, with the kernel's `!` turned back into `/`.
    const std::string& sysname() const noexcept { return sysname_; }

    const std::string& subsystem() const noexcept { return subsystem_; }

    const std::vector<std::string>& devlinks() const noexcept { return devlinks_; }

    /// `/dev/...`, none where the device has no node.
    std::optional<std::string> devnode() const;
    /// A property of the uevent or of udev's database (which wins); empty if it has none.
    std::string property(std::string_view key) const;
    std::optional<int64_t> number_property(std::string_view key, int base = 10) const;
    /// An attribute file below the device.
    std::optional<std::string> text(std::string_view attribute) const;
    std::optional<int64_t> number(std::string_view attribute, int base = 0) const;

    const Sysfs& sysfs() const noexcept { return sysfs_; }

  private:
    void read_udev_database();

    const Sysfs& sysfs_;
    std::string path_;
    std::string sysname_;
    std::string subsystem_;
    Properties properties_;
    std::vector<std::string> devlinks_;
};

} // namespace vireo::nodedev
