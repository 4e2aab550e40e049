// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/types.hpp"
#include "storage-driver/secrets/secrets.hpp"
#include "storage-driver/storage.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vireo::storage {

/// storaged's part of org.libvirt.Connect: pools, secrets and the host's memory.
class ConnectInterface : public std::enable_shared_from_this<ConnectInterface> {
  public:
    /// `host` is where /proc and /sys are: empty but in tests.
    ConnectInterface(Scope& tasks, Storage& storage, Secrets& secrets, std::string host)
        : tasks_(tasks), storage_(storage), secrets_(secrets), host_(std::move(host)) {}

    Scope& tasks() { return tasks_; }

    std::vector<bus::ObjectPath> list_pools(uint32_t flags) const;
    Task<bus::ObjectPath> define_pool(std::string xml, uint32_t flags);
    Task<bus::ObjectPath> create_pool(std::string xml, uint32_t flags);
    bus::ObjectPath lookup_pool_by_name(const std::string& name) const;
    bus::ObjectPath lookup_pool_by_uuid(const std::string& uuid) const;
    bus::ObjectPath lookup_volume_by_key(const std::string& key) const;
    bus::ObjectPath lookup_volume_by_path(const std::string& path) const;

    std::vector<bus::ObjectPath> list_secrets(uint32_t flags) const;
    Task<bus::ObjectPath> define_secret(std::string xml, uint32_t flags);
    bus::ObjectPath lookup_secret_by_uuid(const std::string& uuid) const;
    bus::ObjectPath lookup_secret_by_usage(int32_t type, const std::string& id) const;

    uint64_t free_memory() const;
    std::map<std::string, uint64_t> memory_stats(int32_t cell, uint32_t flags) const;
    bus::LibvirtDict memory_parameters(uint32_t flags) const;
    Task<void> set_memory_parameters(bus::Dict parameters, uint32_t flags);

  private:
    Scope& tasks_;
    Storage& storage_;
    Secrets& secrets_;
    std::string host_;
};

inline constexpr const char* connect_interface = "org.libvirt.Connect";
extern const sd_bus_vtable connect_vtable[];

} // namespace vireo::storage
