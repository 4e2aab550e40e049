// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vireo::qemu {

/// org.libvirt.DomainSnapshot of one snapshot. Documentation of the members: interfaces/.
class SnapshotInterface : public std::enable_shared_from_this<SnapshotInterface> {
  public:
    SnapshotInterface(Driver& driver, DomainPtr domain, std::string name)
        : driver_(driver), domain_(std::move(domain)), name_(std::move(name)) {}

    Scope& tasks() { return driver_.ctx.tasks; }

    Task<void> remove(std::uint32_t flags);
    bus::ObjectPath parent(std::uint32_t flags);
    std::string xml(std::uint32_t flags);
    bool is_current(std::uint32_t flags);
    std::vector<bus::ObjectPath> children(std::uint32_t flags);

  private:
    Driver& driver_;
    DomainPtr domain_;
    std::string name_;
};

inline constexpr const char* snapshot_interface = "org.libvirt.DomainSnapshot";
extern const sd_bus_vtable snapshot_vtable[];

/// Those of the domain's snapshots that virDomainSnapshotListFlags ask for, below `parent`; empty:
/// all.
std::vector<bus::ObjectPath> list_snapshots(Driver& driver,
                                            const Domain& domain,
                                            const std::string& parent,
                                            std::uint32_t flags);

} // namespace vireo::qemu
