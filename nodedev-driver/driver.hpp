// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/promised.hpp"
#include "libshared/async/scope.hpp"
#include "nodedev-driver/leases.hpp"
#include "nodedev-driver/model/nvme_health.hpp"
#include "nodedev-driver/probe/device_uses.hpp"
#include "nodedev-driver/probe/probe.hpp"
#include "nodedev-driver/registry.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vireo::nodedev {

struct HealthReading {
    NvmeHealth health;
    /// Microseconds of the epoch.
    uint64_t taken{};
};

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

    /// What controllers said of their health when they were asked last, by the device's name.
    std::map<std::string, HealthReading, std::less<>> health;
    /// Tells that there is another reading for the device `name`.
    std::function<void(const std::string& name)> health_changed = [](const std::string&) {};

  private:
    /// One reading serves all that is asked in one turn of the loop: a client that asks for
    /// everything asks for each device.
    struct Turn {
        std::chrono::microseconds time{};
        uint64_t generation{};
        UseTables tables;
        /// Paths, in order, so that what is below a device stands together.
        std::set<std::string> disks;
        std::map<std::string, std::string> controllers;         // path -> `nvme0`
        std::map<std::string, std::vector<std::string>> shared; // controller -> disks it reaches
        std::map<std::string, std::vector<DeviceUse>> uses;     // by disk
    };

    Turn& this_turn();
    static std::set<std::string> disks_below(const Turn& turn, const NodeDevice& device);

    std::optional<Turn> turn_;
};

} // namespace vireo::nodedev
