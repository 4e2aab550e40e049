// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/node_device.hpp"

#include "libshared/xml/parse.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

std::string format_device(const NodeDevice& device) {
    return xml::format(device);
}

std::string
device_name(std::string_view subsystem, std::string_view sysname, std::string_view detail) {
    std::string name = detail.empty() ? fmt::format("{}_{}", subsystem, sysname)
                                      : fmt::format("{}_{}_{}", subsystem, sysname, detail);
    for (char& c : name) {
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!plain) {
            c = '_';
        }
    }
    return name;
}

} // namespace vireo::nodedev
