// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "nodedev-driver/driver.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// One device as org.libvirt.NodeDevice: what it was when the call arrived.
class NodeDeviceInterface : public std::enable_shared_from_this<NodeDeviceInterface> {
  public:
    NodeDeviceInterface(Driver& driver, Scope& tasks, Registry::Device device)
        : driver_(driver), tasks_(tasks), device_(std::move(device)) {}

    Scope& tasks() { return tasks_; }

    std::string name() const { return device_->name; }

    std::string parent() const { return device_->parent.value_or(""); }

    std::vector<std::string> list_caps() const;
    std::string get_xml_desc(uint32_t flags) const;
    Task<void> detach(std::string driver_name, uint32_t flags);
    Task<void> reattach();
    Task<void> reset();
    Task<void> destroy();

  private:
    Driver& driver_;
    Scope& tasks_;
    Registry::Device device_;
};

inline constexpr const char* node_device_interface = "org.libvirt.NodeDevice";
extern const sd_bus_vtable node_device_vtable[];

} // namespace vireo::nodedev
