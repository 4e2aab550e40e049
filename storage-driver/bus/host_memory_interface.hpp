// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/sysfs.hpp"
#include "storage-driver/guests/guest_follower.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::storage {

/// org.vireo.HostMemory1. Documentation of the members: interfaces/.
class HostMemoryInterface : public std::enable_shared_from_this<HostMemoryInterface> {
  public:
    HostMemoryInterface(Scope& tasks, Sysfs host, GuestFollower& follower)
        : tasks_(tasks), host_(std::move(host)), follower_(follower) {}

    Scope& tasks() { return tasks_; }

    using Cell = std::tuple<uint32_t, uint64_t, uint64_t>;
    using Pool = std::tuple<uint32_t, uint64_t, uint64_t, uint64_t, uint64_t>;
    using Reserved = std::tuple<uint64_t, uint64_t>;
    using Change = std::tuple<int64_t, uint64_t>;

    std::vector<Cell> cells() const;
    std::vector<Pool> huge_pages() const;
    std::vector<Reserved> huge_pages_reserved() const;
    std::vector<PromiseRow> promises() const;
    std::string promises_state() const;
    Task<Change> allocate_pages(int32_t cell, uint64_t page_size, uint64_t pages, std::string how);

  private:
    Scope& tasks_;
    Sysfs host_;
    GuestFollower& follower_;
};

inline constexpr const char* memory_path = "/org/vireo/memory";
inline constexpr const char* host_memory_interface = "org.vireo.HostMemory1";
extern const sd_bus_vtable host_memory_vtable[];

} // namespace vireo::storage
