// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/iommu_group.hpp"

#include <fmt/format.h>

namespace vireo {

std::optional<GroupState> read_iommu_group(const Sysfs& sysfs, const std::string& path) {
    const std::string link = path + "/iommu_group";
    const auto number = sysfs.link_name(link);
    if (!number) {
        return std::nullopt;
    }
    GroupState group{.number = *number, .members = {}};
    constexpr int64_t bridge_class = 0x06;
    for (const std::string& address : sysfs.names(link + "/devices")) {
        const std::string member = fmt::format("{}/devices/{}", link, address);
        const auto code = sysfs.number(member + "/class");
        group.members.push_back({.address = address,
                                 .driver = sysfs.link_name(member + "/driver").value_or(""),
                                 .bridge = code && (*code >> 16) == bridge_class});
    }
    return group;
}

/// Source: the kernel's drivers/vfio/vfio_main.c, which allows these beside VFIO's own.
bool leaves_group_to_guests(const std::string& driver) {
    return driver.empty() || driver.find("vfio") != std::string::npos || driver == "pci-stub" ||
           driver == "pcieport";
}

std::string describe_group(const GroupState& group) {
    std::string text = fmt::format("IOMMU group {}:", group.number);
    for (const GroupMember& member : group.members) {
        text += fmt::format("{} {} ({})",
                            &member == &group.members.front() ? "" : ",",
                            member.address,
                            member.driver.empty() ? "no driver" : member.driver);
    }
    return text;
}

} // namespace vireo
