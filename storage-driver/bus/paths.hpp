// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "storage-driver/registry.hpp"
#include "storage-driver/secrets/secrets.hpp"

#include <string_view>

namespace vireo::storage {

inline constexpr const char* connect_path = "/org/libvirt/QEMU";
inline constexpr const char* pool_prefix = "/org/libvirt/QEMU/storagepool";
inline constexpr const char* secret_prefix = "/org/libvirt/QEMU/secret";
inline constexpr const char* volume_prefix = "/org/libvirt/QEMU/storagevol";

bus::ObjectPath pool_path(const Pool& pool);
bus::ObjectPath volume_path(const VolumeDef& volume);
bus::ObjectPath secret_path(const Secret& secret);

/// The pool, the volume or the secret at an object path. Throw no_storage_pool, no_storage_vol,
/// no_secret.
Registry::PoolPtr pool_at(const Registry& registry, std::string_view path);
Registry::FoundVolume volume_at(const Registry& registry, std::string_view path);
Secrets::Ptr secret_at(const Secrets& secrets, std::string_view path);

} // namespace vireo::storage
