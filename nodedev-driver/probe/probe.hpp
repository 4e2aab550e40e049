// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"
#include "nodedev-driver/probe/hardware_names.hpp"
#include "nodedev-driver/probe/nvme_identify.hpp"
#include "nodedev-driver/probe/sys_device.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

/// From sysfs to node devices. A kind of device is one function `probe_<kind>` in a file of its
/// own and one row in the table of probe.cpp.
namespace vireo::nodedev {

using VpdByPath = std::map<std::string, VitalProductData>;

using IdentityByPath = std::map<std::string, NamespaceIdentity>;

/// What the probes read from; tests give their own.
struct ProbeSources {
    Sysfs sysfs;
    HardwareNames names;
    /// By the path of the function or disk: what takes up to seconds to read, so that it is found
    /// elsewhere.
    VpdByPath vpd;
    IdentityByPath identities{};
};

/// A device without parent (save where the parent is not the folder above), or nothing if it is not
/// one that is listed (a partition, a device whose attributes are not there or make no sense).
std::optional<NodeDevice> probe_pci(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_usb(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_net(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_storage(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_scsi(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_scsi_generic(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_drm(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_mdev(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_vdpa(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_ccw(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_css(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_ap(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_matrix(const ProbeSources& sources, const SysDevice& device);
std::optional<NodeDevice> probe_nvme(const ProbeSources& sources, const SysDevice& device);
/// What a disk is where it is an NVMe namespace; without what uses it.
std::optional<NvmeNamespace> read_nvme_namespace(const SysDevice& disk);
/// State of an NVMe controller now: it changes without an event.
std::string read_nvme_state(const SysDevice& device);
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
