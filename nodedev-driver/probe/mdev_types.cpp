// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/mdev_types.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

std::optional<MdevTypes> read_mdev_types(const SysDevice& device) {
    MdevTypes found;
    const std::string folder = device.path() + "/mdev_supported_types";
    for (const std::string& id : device.sysfs().names(folder)) {
        const auto read = [&](const char* attribute) {
            return device.sysfs().text(fmt::format("{}/{}/{}", folder, id, attribute));
        };
        const auto api = read("device_api");
        const auto instances = parse_number(read("available_instances").value_or(""), 10);
        if (api && instances && *instances >= 0) {
            found.types.push_back({.id = id,
                                   .name = read("name").value_or(""),
                                   .device_api = *api,
                                   .available_instances = static_cast<uint32_t>(*instances)});
        }
    }
    return found.types.empty() ? std::nullopt : std::optional(std::move(found));
}

} // namespace vireo::nodedev
