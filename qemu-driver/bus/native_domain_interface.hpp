// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/actions/memory_amounts.hpp"
#include "qemu-driver/driver.hpp"

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace vireo::qemu {

/// org.vireo.Domain1 of one domain. Documentation of the members: interfaces/.
class NativeDomainInterface : public std::enable_shared_from_this<NativeDomainInterface> {
  public:
    NativeDomainInterface(Driver& driver, DomainPtr domain)
        : driver_(driver), domain_(std::move(domain)) {}

    Scope& tasks() { return driver_.ctx.tasks; }

    std::string name() const { return domain_->name; }

    std::string uuid() const { return domain_->uuid; }

    std::string state() const { return std::string(state_name(domain_->state.state)); }

    std::string state_reason() const { return std::string(reason_name(domain_->state)); }

    bus::ObjectPath path() const { return domain_->path; }

    bool persistent() const { return domain_->persistent; }

    bool autostart() const { return domain_->autostart; }

    std::uint64_t memory_minimum() const { return actions::memory_amounts(*domain_).minimum; }

    std::uint64_t memory_maximum() const { return actions::memory_amounts(*domain_).maximum; }

    std::uint64_t memory_step() const { return actions::memory_amounts(*domain_).step; }

    std::uint64_t memory_target() const { return actions::memory_amounts(*domain_).target; }

    std::uint64_t memory_current() const { return actions::memory_amounts(*domain_).current; }

    using MemoryPromises = std::vector<std::tuple<std::int32_t,
                                                  std::uint64_t,
                                                  std::uint64_t,
                                                  std::uint64_t,
                                                  std::uint64_t,
                                                  std::uint64_t>>;
    MemoryPromises memory_promises() const;

    Task<std::map<std::string, std::uint64_t>> set_memory_target(std::uint64_t bytes);

  private:
    Driver& driver_;
    DomainPtr domain_;
};

extern const sd_bus_vtable native_domain_vtable[];

} // namespace vireo::qemu
