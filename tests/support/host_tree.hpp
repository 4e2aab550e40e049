// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace vireo::test {

/// A host's /sys, /proc, /run made in a folder of its own, which goes with the object.
class HostTree {
  public:
    const std::filesystem::path& root() const noexcept { return folder_.path(); }

    std::filesystem::path at(std::string_view path) const;
    /// Writes a file and the folders above it.
    void write(std::string_view path, std::string_view contents);
    /// Makes a symbolic link at `path` to `target`, both as seen from the host's root.
    void link(std::string_view path, std::string_view target);
    void remove(std::string_view path);

    /// A device below /sys/devices with its attribute files, its `subsystem` link and the link in
    /// the subsystem's folder (`bus/pci`, `class/net`).
    void device(std::string_view path,
                std::string_view subsystem,
                const std::map<std::string, std::string>& attributes);

    /// What the kernel says of the device to a daemon that watches this host.
    void send_uevent(std::string_view action, std::string_view path) const;

  private:
    TemporaryFolder folder_;
};

} // namespace vireo::test
