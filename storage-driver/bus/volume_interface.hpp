// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "storage-driver/storage.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>

namespace vireo::storage {

/// One volume as org.libvirt.StorageVol.
class VolumeInterface : public std::enable_shared_from_this<VolumeInterface> {
  public:
    VolumeInterface(Scope& tasks, Storage& storage, Registry::FoundVolume volume)
        : tasks_(tasks),
          storage_(storage),
          pool_(std::move(volume.pool)),
          name_(std::move(volume.name)) {}

    Scope& tasks() { return tasks_; }

    std::string name() const { return name_; }

    std::string key() const;
    std::string path() const;
    Task<void> remove(uint32_t flags);
    /// Type, capacity, allocation (or, with flag 1, the file's length); bytes.
    Task<std::tuple<int32_t, uint64_t, uint64_t>> get_info(uint32_t flags);
    Task<std::string> get_xml_desc(uint32_t flags);
    Task<void> resize(uint64_t capacity, uint32_t flags);

  private:
    Scope& tasks_;
    Storage& storage_;
    std::shared_ptr<Pool> pool_;
    std::string name_;
};

inline constexpr const char* volume_interface = "org.libvirt.StorageVol";
extern const sd_bus_vtable volume_vtable[];

} // namespace vireo::storage
