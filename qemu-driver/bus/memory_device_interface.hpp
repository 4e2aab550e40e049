// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>
#include <string>

namespace vireo::qemu {

/// org.vireo.MemoryDevice1 of one memory device of a running guest. Documentation of the members:
/// interfaces/.
class MemoryDeviceInterface : public std::enable_shared_from_this<MemoryDeviceInterface> {
  public:
    MemoryDeviceInterface(Driver& driver, DomainPtr domain, std::string alias)
        : driver_(driver), domain_(std::move(domain)), alias_(std::move(alias)) {}

    Scope& tasks() { return driver_.ctx.tasks; }

    std::string model() const;
    std::uint64_t size() const;
    std::uint64_t block_size() const;
    std::uint64_t requested() const;
    std::uint64_t current() const;
    std::uint32_t node() const;
    std::uint64_t backing_page_size() const;
    Task<void> set_requested(std::uint64_t bytes);
    Task<std::uint64_t> wait_for_requested(std::uint64_t timeout_usec);

  private:
    const MemoryDeviceDef& device() const;

    Driver& driver_;
    DomainPtr domain_;
    std::string alias_;
};

extern const sd_bus_vtable memory_device_vtable[];

} // namespace vireo::qemu
