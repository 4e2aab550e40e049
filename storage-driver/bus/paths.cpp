// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/paths.hpp"

#include "libshared/bus/path.hpp"
#include "libshared/error.hpp"

#include <fmt/format.h>

namespace vireo::storage {

namespace {

std::string_view last_element(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

} // namespace

bus::ObjectPath pool_path(const Pool& pool) {
    return bus::ObjectPath(fmt::format("{}/{}", pool_prefix, bus::encode_uuid(pool.uuid())));
}

bus::ObjectPath volume_path(const VolumeDef& volume) {
    return bus::ObjectPath(
        fmt::format("{}/{}", volume_prefix, bus::encode_path_element(volume.key.value_or(""))));
}

bus::ObjectPath secret_path(const Secret& secret) {
    return bus::ObjectPath(fmt::format("{}/{}", secret_prefix, bus::encode_uuid(secret.def.uuid)));
}

Registry::PoolPtr pool_at(const Registry& registry, std::string_view path) {
    const auto uuid = bus::decode_uuid(last_element(path));
    if (!uuid) {
        throw Error(ErrorCode::no_storage_pool, "no storage pool at object path '{}'", path);
    }
    return registry.get_by_uuid(*uuid);
}

Registry::FoundVolume volume_at(const Registry& registry, std::string_view path) {
    const auto key = bus::decode_path_element(last_element(path));
    if (!key) {
        throw Error(ErrorCode::no_storage_vol, "no storage vol with matching path '{}'", path);
    }
    return registry.get_volume("key", *key);
}

Secrets::Ptr secret_at(const Secrets& secrets, std::string_view path) {
    const auto uuid = bus::decode_uuid(last_element(path));
    if (!uuid) {
        throw Error(ErrorCode::no_secret, "no secret at object path '{}'", path);
    }
    return secrets.get(*uuid);
}

} // namespace vireo::storage
