// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::nodedev {

/// Reads the kernel's and udev's view of the devices below a prefix: empty on a real host, a tree
/// made by the test otherwise. Paths in and out are the host's (`/sys/devices/...`), without it.
/// What is not there or cannot be read is absent: a device may vanish between any two reads.
class Sysfs {
  public:
    explicit Sysfs(std::filesystem::path prefix = {});

    /// True where the prefix is empty, so that ioctls and the like speak of the same devices.
    bool is_host() const noexcept { return prefix_.empty(); }

    /// Contents of a file without white space and control characters at its ends and within; none
    /// if that is empty.
    std::optional<std::string> text(std::string_view path) const;
    /// The file's number; `base` 0 takes 0x and 0 prefixes.
    std::optional<int64_t> number(std::string_view path, int base = 0) const;
    /// At most `limit` bytes as they are.
    std::string bytes(std::string_view path, size_t limit) const;
    /// Last component of what a symbolic link names (`driver` -> `e1000e`).
    std::optional<std::string> link_name(std::string_view path) const;
    /// The path without symbolic links; none if it does not exist or leaves the prefix.
    std::optional<std::string> resolve(std::string_view path) const;
    bool exists(std::string_view path) const;
    /// Names in a folder, sorted.
    std::vector<std::string> names(std::string_view path) const;

  private:
    std::filesystem::path at(std::string_view path) const;

    std::filesystem::path prefix_;
};

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

/// The whole of `text` as a number, or nothing. `base` 0 takes 0x and 0 prefixes.
std::optional<int64_t> parse_number(std::string_view text, int base);

} // namespace vireo::nodedev
