// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/types.hpp"
#include "storage-driver/storage.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::storage {

/// One pool as org.libvirt.StoragePool.
class PoolInterface : public std::enable_shared_from_this<PoolInterface> {
  public:
    PoolInterface(Scope& tasks, Storage& storage, std::shared_ptr<Pool> pool)
        : tasks_(tasks), storage_(storage), pool_(std::move(pool)) {}

    Scope& tasks() { return tasks_; }

    bool active() const { return pool_->active(); }

    bool autostart() const { return pool_->autostart; }

    Task<void> set_autostart(bool autostart);

    std::string name() const { return pool_->name(); }

    bool persistent() const { return pool_->persistent(); }

    std::string uuid() const { return pool_->uuid(); }

    Task<void> build(uint32_t flags);
    Task<void> create(uint32_t flags);
    Task<void> remove(uint32_t flags);
    Task<void> destroy();
    /// State, capacity, allocation, available; bytes.
    std::tuple<int32_t, uint64_t, uint64_t, uint64_t> get_info() const;
    std::string get_xml_desc(uint32_t flags) const;
    std::vector<bus::ObjectPath> list_volumes(uint32_t flags) const;
    Task<void> refresh(uint32_t flags);
    Task<bus::ObjectPath> create_volume(std::string xml, uint32_t flags);
    bus::ObjectPath lookup_volume(const std::string& name) const;
    Task<void> undefine();

  private:
    Scope& tasks_;
    Storage& storage_;
    std::shared_ptr<Pool> pool_;
};

inline constexpr const char* pool_interface = "org.libvirt.StoragePool";
extern const sd_bus_vtable pool_vtable[];

} // namespace vireo::storage
