// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/async/task.hpp"
#include "libshared/bus/types.hpp"
#include "storage-driver/policy/memory_governor.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::storage {

/// org.vireo.MemoryPolicy1. Documentation of the members: interfaces/.
class MemoryPolicyInterface : public std::enable_shared_from_this<MemoryPolicyInterface> {
  public:
    MemoryPolicyInterface(Scope& tasks, MemoryGovernor& governor)
        : tasks_(tasks), governor_(governor) {}

    Scope& tasks() { return tasks_; }

    using Guest = std::tuple<std::string, uint64_t, uint64_t, uint32_t>;

    bool enabled() const { return governor_.settings().enabled; }

    std::string state() const { return governor_.state(); }

    std::string state_reason() const { return governor_.reason(); }

    uint64_t reserve() const { return governor_.reserve(); }

    uint64_t interval() const {
        return static_cast<uint64_t>(governor_.settings().interval.count());
    }

    std::vector<Guest> guests() const;

    std::map<std::string, std::string> conditions() const { return governor_.conditions(); }

    Task<void> enable(bool on) { return governor_.enable(on); }

    Task<void> set_reserve(uint64_t bytes) { return governor_.set_reserve(bytes); }

    Task<void> set_interval(uint64_t usec);
    Task<void> set_guest(
        std::string uuid, uint64_t minimum, uint64_t maximum, uint32_t weight, bus::Dict options);

    Task<void> remove_guest(std::string uuid) { return governor_.remove_guest(std::move(uuid)); }

  private:
    Scope& tasks_;
    MemoryGovernor& governor_;
};

inline constexpr const char* memory_policy_interface = "org.vireo.MemoryPolicy1";
extern const sd_bus_vtable memory_policy_vtable[];

} // namespace vireo::storage
