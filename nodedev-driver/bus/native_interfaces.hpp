// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/scope.hpp"
#include "libshared/bus/types.hpp"
#include "nodedev-driver/driver.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// org.vireo.NodeDevice1. Documentation of the members: interfaces/.
namespace vireo::nodedev {

class NativeDeviceInterface : public std::enable_shared_from_this<NativeDeviceInterface> {
  public:
    NativeDeviceInterface(Driver& driver, Scope& tasks, Registry::Device device)
        : driver_(driver), tasks_(tasks), device_(std::move(device)) {}

    Scope& tasks() { return tasks_; }

    std::string name() const { return device_->name; }

    std::vector<std::string> capabilities() const;
    bus::ObjectPath parent() const;

    std::string sysfs_path() const { return device_->path.value_or(""); }

    std::string host_driver() const { return device_->driver.value_or(""); }

    bus::ObjectPath libvirt_path() const;
    std::vector<bus::Dict> in_use_by() const;
    bus::Dict lease() const;

    Task<void> acquire(std::string holder, bus::Dict options);
    Task<void> release(std::string holder);
    Task<std::vector<bus::Dict>> plan_attach(std::string device, bus::Dict wishes);
    void refresh();
    Task<void> settle();

  private:
    Driver& driver_;
    Scope& tasks_;
    Registry::Device device_;
};

inline constexpr const char* native_device_interface = "org.vireo.NodeDevice1";
extern const sd_bus_vtable native_device_vtable[];

} // namespace vireo::nodedev
