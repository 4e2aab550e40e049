// SPDX-License-Identifier: LGPL-2.1-or-later
#include "storage-driver/bus/connect_interface.hpp"

#include "libshared/bus/vtable.hpp"
#include "storage-driver/actions/list_pools.hpp"
#include "storage-driver/actions/pool_contents.hpp"
#include "storage-driver/actions/pool_lifecycle.hpp"
#include "storage-driver/actions/set_page_sharing.hpp"
#include "storage-driver/actions/volumes.hpp"
#include "storage-driver/bus/paths.hpp"
#include "storage-driver/memory/host_memory.hpp"
#include "storage-driver/memory/page_sharing.hpp"

namespace vireo::storage {

namespace {

/// libvirt takes these as unsigned 32-bit numbers; a client may have no way to choose.
uint64_t number_of(const std::string& name, const bus::Variant& value) {
    if (const auto* number = value.get<uint32_t>()) {
        return *number;
    }
    if (const auto* number = value.get<uint64_t>()) {
        return *number;
    }
    if (const auto* number = value.get<int32_t>(); number != nullptr && *number >= 0) {
        return static_cast<uint64_t>(*number);
    }
    throw Error(ErrorCode::invalid_arg,
                "memory parameter '{}' takes a number that is not negative (type u)",
                name);
}

} // namespace

std::vector<bus::ObjectPath> ConnectInterface::list_pools(uint32_t flags) const {
    std::vector<bus::ObjectPath> paths;
    for (const auto& pool : actions::list_pools(storage_.registry, flags)) {
        paths.push_back(pool_path(*pool));
    }
    return paths;
}

Task<bus::ObjectPath> ConnectInterface::define_pool(std::string xml, uint32_t flags) {
    const auto pool = co_await actions::define_pool(storage_, std::move(xml), flags);
    co_return pool_path(*pool);
}

Task<bus::ObjectPath> ConnectInterface::create_pool(std::string xml, uint32_t flags) {
    const auto pool = co_await actions::create_pool(storage_, std::move(xml), flags);
    co_return pool_path(*pool);
}

bus::ObjectPath ConnectInterface::lookup_pool_by_name(const std::string& name) const {
    return pool_path(*storage_.registry.get_by_name(name));
}

bus::ObjectPath ConnectInterface::lookup_pool_by_uuid(const std::string& uuid) const {
    return pool_path(*storage_.registry.get_by_uuid(uuid));
}

bus::ObjectPath ConnectInterface::lookup_volume_by_key(const std::string& key) const {
    const auto found = storage_.registry.get_volume("key", key);
    return volume_path(actions::known_volume(*found.pool, found.name));
}

bus::ObjectPath ConnectInterface::lookup_volume_by_path(const std::string& path) const {
    const auto found = storage_.registry.get_volume("path", path);
    return volume_path(actions::known_volume(*found.pool, found.name));
}

std::vector<bus::ObjectPath> ConnectInterface::list_secrets(uint32_t flags) const {
    std::vector<bus::ObjectPath> paths;
    for (const auto& secret : secrets_.list(flags)) {
        paths.push_back(secret_path(*secret));
    }
    return paths;
}

Task<bus::ObjectPath> ConnectInterface::define_secret(std::string xml, uint32_t flags) {
    constexpr uint32_t validate = 1;
    actions::check_flags("SecretDefineXML", flags, validate);
    const auto secret = co_await secrets_.define(std::move(xml), (flags & validate) != 0);
    co_return secret_path(*secret);
}

bus::ObjectPath ConnectInterface::lookup_secret_by_uuid(const std::string& uuid) const {
    return secret_path(*secrets_.get(uuid));
}

bus::ObjectPath ConnectInterface::lookup_secret_by_usage(int32_t type,
                                                         const std::string& id) const {
    return secret_path(*secrets_.get_by_usage(type, id));
}

uint64_t ConnectInterface::free_memory() const {
    return free_memory_bytes(host_);
}

std::map<std::string, uint64_t> ConnectInterface::memory_stats(int32_t cell, uint32_t flags) const {
    actions::check_flags("NodeGetMemoryStats", flags, 0);
    return memory_stats_kib(host_, cell);
}

bus::LibvirtDict ConnectInterface::memory_parameters(uint32_t flags) const {
    actions::check_flags("NodeGetMemoryParameters", flags, 0);
    bus::LibvirtDict parameters;
    for (const auto& parameter : page_sharing_parameters(host_)) {
        if (parameter.wide) {
            parameters.emplace_back(parameter.name, bus::Variant(parameter.value));
        } else {
            parameters.emplace_back(parameter.name,
                                    bus::Variant(static_cast<uint32_t>(parameter.value)));
        }
    }
    return parameters;
}

Task<void> ConnectInterface::set_memory_parameters(bus::Dict parameters, uint32_t flags) {
    actions::check_flags("NodeSetMemoryParameters", flags, 0);
    actions::PageSharingValues values;
    for (const auto& [name, value] : parameters) {
        values.emplace_back(name, number_of(name, value));
    }
    co_await actions::set_page_sharing(storage_.loop, host_, std::move(values));
}

constexpr sd_bus_vtable connect_vtable[] = {
    bus::start(),
    bus::method<&ConnectInterface::list_pools, "flags", "storagePools">("ListStoragePools"),
    bus::method<&ConnectInterface::list_secrets, "flags", "secrets">("ListSecrets"),
    bus::method<&ConnectInterface::free_memory, "freemem">("NodeGetFreeMemory"),
    bus::method<&ConnectInterface::memory_parameters, "flags", "memoryParameters">(
        "NodeGetMemoryParameters"),
    bus::method<&ConnectInterface::memory_stats, "cellNum", "flags", "stats">("NodeGetMemoryStats"),
    bus::method<&ConnectInterface::set_memory_parameters, "params", "flags">(
        "NodeSetMemoryParameters"),
    bus::method<&ConnectInterface::define_secret, "xml", "flags", "secret">("SecretDefineXML"),
    bus::method<&ConnectInterface::lookup_secret_by_uuid, "uuid", "secret">("SecretLookupByUUID"),
    bus::method<&ConnectInterface::lookup_secret_by_usage, "usageType", "usageID", "secret">(
        "SecretLookupByUsage"),
    bus::method<&ConnectInterface::create_pool, "xml", "flags", "storagePool">(
        "StoragePoolCreateXML"),
    bus::method<&ConnectInterface::define_pool, "xml", "flags", "storagePool">(
        "StoragePoolDefineXML"),
    bus::method<&ConnectInterface::lookup_pool_by_name, "name", "storagePool">(
        "StoragePoolLookupByName"),
    bus::method<&ConnectInterface::lookup_pool_by_uuid, "uuid", "storagePool">(
        "StoragePoolLookupByUUID"),
    bus::method<&ConnectInterface::lookup_volume_by_key, "key", "storageVol">(
        "StorageVolLookupByKey"),
    bus::method<&ConnectInterface::lookup_volume_by_path, "path", "storageVol">(
        "StorageVolLookupByPath"),
    bus::signal<"storagePool", "event", "detail">::of<bus::ObjectPath, int32_t, int32_t>(
        "StoragePoolEvent"),
    bus::signal<"secret", "event", "detail">::of<bus::ObjectPath, int32_t, int32_t>("SecretEvent"),
    bus::end(),
};

} // namespace vireo::storage
