// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "nodedev-driver/leases.hpp"
#include "nodedev-driver/probe/device_uses.hpp"
#include "nodedev-driver/probe/probe.hpp"
#include "nodedev-driver/registry.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// What this driver knows and works with; the service fills it, actions and interfaces use it.
struct Driver {
    Driver(Loop& in, ProbeSources from, std::string leases_folder)
        : loop(in), sources(std::move(from)), leases(in, std::move(leases_folder)), changed(in) {}

    Loop& loop;
    ProbeSources sources;
    Registry registry;
    Leases leases;
    /// Something is different about a device: who waits for it looks again.
    Condition changed;
    /// Writes an attribute of sysfs; called on a worker thread. Tests put a kernel of theirs there.
    std::function<void(const std::string& path, const std::string& text)> write =
        [sysfs = sources.sysfs](const std::string& path, const std::string& text) {
            sysfs.write(path, text);
        };
    /// Probes the device at this path again and tells what is different.
    std::function<void(const std::string& path)> look_again = [](const std::string&) {};
    /// What each step of binding a driver may take; a kernel that hangs is named after it.
    std::chrono::microseconds step_limit = std::chrono::seconds(10);

    /// Waits for the ends of holders' processes.
    Scope followers{loop};

    /// What on the host uses the device or a disk below it, without the processes. Does not wait.
    std::vector<DeviceUse> uses(const NodeDevice& device);

  private:
    std::vector<std::string> disks_below(const NodeDevice& device) const;

    std::optional<UseTables> tables_;
    std::chrono::microseconds tables_read_{};
};

} // namespace vireo::nodedev
