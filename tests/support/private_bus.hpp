// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"
#include "tests/support/child.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace vireo::test {

/// Where a bus finds the daemons, and where these keep their state.
struct BusPlaces {
    std::filesystem::path folder;  ///< The bus's own: socket, configuration, activation files.
    std::filesystem::path daemons; ///< Holds `vireo-proxyd`.
    std::filesystem::path root;    ///< Passed to the daemons as `--root`.
    std::filesystem::path log;     ///< Gets what bus and daemons print.
};

/// A message bus for one instance: it starts `vireo-proxyd` when somebody calls `org.libvirt` or
/// `org.vireo`, and lets everybody who may connect (this user, root) do everything.
class PrivateBus {
  public:
    /// Starts the bus and waits until it listens. Throws operation_failed when it does not.
    explicit PrivateBus(const BusPlaces& places);

    const std::string& address() const noexcept { return address_; }

    /// Readable once the bus has ended.
    int pidfd() const noexcept { return daemon_->pidfd(); }

  private:
    std::string address_;
    std::optional<Child> daemon_;
};

} // namespace vireo::test
