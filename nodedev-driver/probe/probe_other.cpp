// SPDX-License-Identifier: LGPL-2.1-or-later
// Displays, mediated devices and vDPA: a few attributes each.
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

std::optional<NodeDevice> probe_drm(const ProbeSources&, const SysDevice& device) {
    // The kernel numbers each kind of node in a range of 64.
    const auto minor = device.number_property("MINOR");
    const auto kind = minor ? *minor / 64 : -1;
    if (device.property("DEVTYPE") != "drm_minor" || kind < 0 ||
        kind > static_cast<int64_t>(DrmType::render)) {
        return std::nullopt;
    }
    NodeDevice node = base_device(device);
    node.capability = DrmCapability{static_cast<DrmType>(kind)};
    return node;
}

std::optional<NodeDevice> probe_mdev(const ProbeSources&, const SysDevice& device) {
    const auto type = device.sysfs().link_name(device.path() + "/mdev_type");
    if (!type) {
        return std::nullopt;
    }
    MdevCapability mdev;
    mdev.type_id = *type;
    mdev.uuid = device.sysname();
    const std::string parent = device.path().substr(0, device.path().rfind('/'));
    mdev.parent_addr = parent.substr(parent.rfind('/') + 1);
    const auto group = device.sysfs().link_name(device.path() + "/iommu_group");
    mdev.iommu_group = static_cast<uint32_t>(parse_number(group.value_or(""), 10).value_or(0));
    NodeDevice node = base_device(device, mdev.parent_addr);
    node.capability = std::move(mdev);
    return node;
}

std::optional<NodeDevice> probe_vdpa(const ProbeSources&, const SysDevice& device) {
    const auto numbers = device.sysfs().numbered(device.path(), "vhost-vdpa-");
    if (numbers.empty()) {
        return std::nullopt; // bound to another driver: there is nothing to give to a guest
    }
    NodeDevice node = base_device(device);
    node.capability = VdpaCapability{fmt::format("/dev/vhost-vdpa-{}", numbers.front())};
    return node;
}

} // namespace vireo::nodedev
