// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"

#include <optional>
#include <string>
#include <vector>

namespace vireo {

/// A device of an IOMMU group with the driver that holds it now.
struct GroupMember {
    std::string address;
    /// Empty where none does.
    std::string driver;
    /// Bridges stay with the host.
    bool bridge{};

    bool operator==(const GroupMember&) const = default;
};

struct GroupState {
    std::string number;
    std::vector<GroupMember> members;
};

/// The group of the function at `path`; nothing where the IOMMU is off.
std::optional<GroupState> read_iommu_group(const Sysfs& sysfs, const std::string& path);

/// Is it a driver that lets a guest have its group?
bool leaves_group_to_guests(const std::string& driver);

/// `IOMMU group 12: 0000:01:00.0 (nvme), 0000:01:00.1 (no driver)`
std::string describe_group(const GroupState& group);

} // namespace vireo
