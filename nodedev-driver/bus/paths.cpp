// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/bus/paths.hpp"

#include "libshared/bus/path.hpp"
#include "libshared/error.hpp"

namespace vireo::nodedev {

std::string device_path(std::string_view name) {
    return fmt::format("{}/{}", device_prefix, bus::encode_path_element(name));
}

std::string native_path(std::string_view name) {
    return fmt::format("{}/{}", native_prefix, bus::encode_path_element(name));
}

std::string device_name_at(std::string_view path) {
    const auto name = bus::decode_path_element(path.substr(path.rfind('/') + 1));
    if (!name) {
        throw Error(ErrorCode::no_node_device, "no node device at object path '{}'", path);
    }
    return *name;
}

} // namespace vireo::nodedev
