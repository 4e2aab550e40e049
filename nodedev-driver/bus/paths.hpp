// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace vireo::nodedev {

inline constexpr const char* connect_path = "/org/libvirt/QEMU";
inline constexpr const char* device_prefix = "/org/libvirt/QEMU/nodedev";
inline constexpr const char* native_root = "/org/vireo";
inline constexpr const char* native_prefix = "/org/vireo/nodedev";

/// Object path of the device of that name.
std::string device_path(std::string_view name);
/// The same on the native tree.
std::string native_path(std::string_view name);

/// Name of the device at an object path of either tree. Throws no_node_device where no name
/// leads to that path.
std::string device_name_at(std::string_view path);

} // namespace vireo::nodedev
