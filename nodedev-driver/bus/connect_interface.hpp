// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/bus/types.hpp"
#include "nodedev-driver/driver.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// nodedevd's part of org.libvirt.Connect.
class ConnectInterface : public std::enable_shared_from_this<ConnectInterface> {
  public:
    ConnectInterface(Driver& driver, Scope& tasks) : driver_(driver), tasks_(tasks) {}

    Scope& tasks() { return tasks_; }

    std::vector<bus::ObjectPath> list_node_devices(uint32_t flags) const;
    bus::ObjectPath lookup_by_name(const std::string& name) const;
    bus::ObjectPath
    lookup_scsi_host_by_wwn(const std::string& wwnn, const std::string& wwpn, uint32_t flags) const;

    Task<bus::ObjectPath> create_xml(std::string document, uint32_t flags);

  private:
    Driver& driver_;
    Scope& tasks_;
};

inline constexpr const char* connect_interface = "org.libvirt.Connect";
extern const sd_bus_vtable connect_vtable[];

} // namespace vireo::nodedev
