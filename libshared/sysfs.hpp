// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vireo {

/// Reads and writes /sys, /proc and udev's records below a prefix: empty on a real host, a tree
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
    /// Writes an attribute, and nothing where that is not there. May block in the kernel: for a
    /// worker thread. Throws system_error with the path.
    void write(std::string_view path, std::string_view text) const;
    /// Names in a folder, sorted.
    std::vector<std::string> names(std::string_view path) const;
    /// The numbers N of the entries `prefix`N in a folder, in order.
    std::vector<uint32_t> numbered(std::string_view path, std::string_view prefix) const;

  private:
    std::filesystem::path at(std::string_view path) const;

    std::filesystem::path prefix_;
};

/// Where tests keep the /sys, /proc and /run of a host that they make up ($VIREO_HOST_TREE); empty
/// on a real one.
std::string host_tree();

/// The whole of `text` as a number, or nothing. `base` 0 takes 0x and 0 prefixes.
std::optional<int64_t> parse_number(std::string_view text, int base);

/// The numbers of a list like "0-3,8", as sysfs writes CPUs and nodes; what is no such list gives
/// none.
std::vector<uint32_t> numbers_in(std::string_view list);

} // namespace vireo
