// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "storage-driver/registry.hpp"

#include <string_view>

namespace vireo::storage {

inline constexpr const char* connect_path = "/org/libvirt/QEMU";
inline constexpr const char* pool_prefix = "/org/libvirt/QEMU/storagepool";
inline constexpr const char* volume_prefix = "/org/libvirt/QEMU/storagevol";

bus::ObjectPath pool_path(const Pool& pool);
bus::ObjectPath volume_path(const VolumeDef& volume);

/// The pool, or the volume, at an object path. Throws no_storage_pool, no_storage_vol.
Registry::PoolPtr pool_at(const Registry& registry, std::string_view path);
Registry::FoundVolume volume_at(const Registry& registry, std::string_view path);

} // namespace vireo::storage
