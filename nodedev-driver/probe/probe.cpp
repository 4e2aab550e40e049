// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vireo::nodedev {

namespace {

struct Subsystem {
    std::string_view name;
    /// Folder of links to this subsystem's devices.
    std::string_view folder;
    std::optional<NodeDevice> (*probe)(const ProbeSources&, const SysDevice&);
};

constexpr std::array subsystems{
    Subsystem{"pci", "/sys/bus/pci/devices", &probe_pci},
    Subsystem{"usb", "/sys/bus/usb/devices", &probe_usb},
    Subsystem{"net", "/sys/class/net", &probe_net},
    Subsystem{"block", "/sys/class/block", &probe_storage},
    Subsystem{"scsi", "/sys/bus/scsi/devices", &probe_scsi},
    Subsystem{"scsi_generic", "/sys/class/scsi_generic", &probe_scsi_generic},
    Subsystem{"drm", "/sys/class/drm", &probe_drm},
    Subsystem{"mdev", "/sys/bus/mdev/devices", &probe_mdev},
    Subsystem{"vdpa", "/sys/bus/vdpa/devices", &probe_vdpa},
    Subsystem{"nvme", "/sys/class/nvme", &probe_nvme},
    Subsystem{"ccw", "/sys/bus/ccw/devices", &probe_ccw},
    Subsystem{"css", "/sys/bus/css/devices", &probe_css},
    Subsystem{"ap", "/sys/bus/ap/devices", &probe_ap},
    Subsystem{"matrix", "/sys/bus/matrix/devices", &probe_matrix},
};

} // namespace

NodeDevice base_device(const SysDevice& device, std::string_view detail) {
    NodeDevice node;
    node.name = device_name(device.subsystem(), device.sysname(), detail);
    node.path = device.path();
    node.devnode = device.devnode();
    node.devlinks = device.devlinks();
    const std::string driver = device.property("DRIVER");
    if (!driver.empty()) {
        node.driver = driver;
    }
    return node;
}

std::optional<NodeDevice> probe_device(const ProbeSources& sources, const std::string& path) {
    const SysDevice device(sources.sysfs, path);
    const auto* found = std::ranges::find(subsystems, device.subsystem(), &Subsystem::name);
    return found == subsystems.end() ? std::nullopt : found->probe(sources, device);
}

std::vector<std::string> device_paths(const ProbeSources& sources) {
    std::vector<std::string> paths;
    for (const Subsystem& subsystem : subsystems) {
        for (const std::string& name : sources.sysfs.names(subsystem.folder)) {
            auto path = sources.sysfs.resolve(fmt::format("{}/{}", subsystem.folder, name));
            if (path) {
                paths.push_back(std::move(*path));
            }
        }
    }
    std::ranges::sort(paths);
    // Not std::ranges::unique: clang 14 does not compile libstdc++ 12's.
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
}

} // namespace vireo::nodedev
