// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/types.hpp"
#include "nodedev-driver/registry.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// nodedevd's part of org.libvirt.Connect.
class ConnectInterface : public std::enable_shared_from_this<ConnectInterface> {
  public:
    explicit ConnectInterface(const Registry& registry) : registry_(registry) {}

    std::vector<bus::ObjectPath> list_node_devices(uint32_t flags) const;
    bus::ObjectPath lookup_by_name(const std::string& name) const;
    bus::ObjectPath
    lookup_scsi_host_by_wwn(const std::string& wwnn, const std::string& wwpn, uint32_t flags) const;

  private:
    const Registry& registry_;
};

inline constexpr const char* connect_interface = "org.libvirt.Connect";
extern const sd_bus_vtable connect_vtable[];

} // namespace vireo::nodedev
