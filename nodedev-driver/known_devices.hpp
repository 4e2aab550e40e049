// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/registry.hpp"

#include <string>
#include <vector>

namespace vireo::nodedev {

/// Which devices were there when the daemon last looked: a file of names below /run, so that what
/// came and went while no daemon ran is told of by the next one.
class KnownDevices {
  public:
    explicit KnownDevices(std::string file) : file_(std::move(file)) {}

    /// What differs from the list that is stored; nothing where none is (the host has just booted).
    std::vector<Change> compare(const Registry& registry) const;
    /// Stores the list as it is now. Throws system_error.
    void save(const Registry& registry) const;

  private:
    std::string file_;
};

} // namespace vireo::nodedev
