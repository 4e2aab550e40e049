// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/nested.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// A kind of mediated device that its parent can make.
struct MdevType {
    std::string id;
    std::string name;
    /// `vfio-pci`, `vfio-ccw`, `vfio-ap`
    std::string device_api;
    uint32_t available_instances{};

    bool operator==(const MdevType&) const = default;
};

struct MdevTypes {
    Word<"mdev_types"> type{};
    std::vector<MdevType> types;

    bool operator==(const MdevTypes&) const = default;
};

/// An attribute that the mediated device's driver is given when it is made; the order matters.
struct MdevAttribute {
    std::string name;
    std::string value;

    bool operator==(const MdevAttribute&) const = default;
};

struct MdevCapability {
    std::string type_id;
    /// Empty where one is to be chosen.
    std::string uuid;
    /// The parent as the kernel calls it: `0000:00:02.0`, `0.0.0052`, `matrix`.
    std::string parent_addr;
    /// 0 where it is not known, as libvirt has it.
    uint32_t iommu_group{};
    std::vector<MdevAttribute> attributes;

    bool operator==(const MdevCapability&) const = default;
};

} // namespace vireo::nodedev
