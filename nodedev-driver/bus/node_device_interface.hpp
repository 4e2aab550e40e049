// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/probe/probe.hpp"
#include "nodedev-driver/registry.hpp"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// One device as org.libvirt.NodeDevice: what it was when the call arrived.
class NodeDeviceInterface : public std::enable_shared_from_this<NodeDeviceInterface> {
  public:
    NodeDeviceInterface(const ProbeSources& sources, Registry::Device device)
        : sources_(sources), device_(std::move(device)) {}

    std::string name() const { return device_->name; }

    std::string parent() const { return device_->parent.value_or(""); }

    std::vector<std::string> list_caps() const;
    std::string get_xml_desc(uint32_t flags) const;

  private:
    const ProbeSources& sources_;
    Registry::Device device_;
};

inline constexpr const char* node_device_interface = "org.libvirt.NodeDevice";
extern const sd_bus_vtable node_device_vtable[];

} // namespace vireo::nodedev
