// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"
#include "nodedev-driver/probe/hardware_names.hpp"
#include "nodedev-driver/probe/sys_device.hpp"

#include <optional>
#include <string>
#include <vector>

/// From sysfs to node devices. A kind of device is one function `probe_<kind>` in a file of its
/// own and one row in the table of probe.cpp.
namespace vireo::nodedev {

/// What the probes read from; tests give their own.
struct ProbeSources {
    Sysfs sysfs;
    HardwareNames names;
};

/// A device without parent, or nothing if it is not one that is listed (a partition, a device
/// whose attributes are not there or make no sense).
std::optional<NodeDevice> probe_pci(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_usb(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_net(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_storage(const ProbeSources& sources, const SysDevice& device);
/// State and speed of a network interface now.
NetLink read_net_link(const SysDevice& device);
NodeDevice probe_computer(const ProbeSources& sources);

/// Probes the device at `path` (below /sys/devices) by its subsystem.
std::optional<NodeDevice> probe_device(const ProbeSources& sources, const std::string& path);

/// Paths of all devices of the subsystems that are listed, each once, parents first.
std::vector<std::string> device_paths(const ProbeSources& sources);

/// The name, path, node, links and driver that every kind has; `detail` as for device_name.
NodeDevice base_device(const SysDevice& device, std::string_view detail = {});

} // namespace vireo::nodedev
