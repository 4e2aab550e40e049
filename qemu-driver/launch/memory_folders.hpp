// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/launch.hpp"

#include <string>
#include <vector>

namespace vireo::qemu {

/// The guest's own folders that QEMU makes files of memory in: on hugetlbfs, and for `<source
/// type='file'>`. They are there while QEMU opens the files and go with this object: the memory
/// needs no name then, and nothing is left of it however the guest ends.
class MemoryFolders {
  public:
    /// Makes those that `def` needs. Throws system_error naming the folder, and what to do where it
    /// lies on a hugetlbfs that this user may not write to.
    MemoryFolders(const DomainDef& def, const LaunchFacts& facts);

    MemoryFolders(const MemoryFolders&) = delete;
    MemoryFolders& operator=(const MemoryFolders&) = delete;

    ~MemoryFolders();

  private:
    std::vector<std::string> folders_;
};

/// What a daemon that was killed in the middle of a start left of such folders.
void remove_memory_folders(const LaunchFacts& facts) noexcept;

} // namespace vireo::qemu
