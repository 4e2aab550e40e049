// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/options.hpp"
#include "qemu-driver/model/host_facts.hpp"
#include "qemu-driver/store/index.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace vireo::qemu {

/// The host's firmware descriptors. They are read when they are first asked for, and again when
/// one was added, changed or removed.
class FirmwareDescriptors {
  public:
    /// Looks below the instance's own root or in the user's configuration first, then in the
    /// host's folders.
    explicit FirmwareDescriptors(const Options& options);

    /// In order of precedence. What cannot be read is logged and left out.
    const std::vector<FirmwareFacts>& all();

  private:
    using Marks = std::vector<std::pair<std::string, FileMark>>;

    Marks look() const;

    std::vector<std::filesystem::path> folders_;
    Marks marks_; // of the files that `known_` was read from
    bool read_ = false;
    std::vector<FirmwareFacts> known_;
};

} // namespace vireo::qemu
