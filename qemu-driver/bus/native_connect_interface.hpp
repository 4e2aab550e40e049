// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/bus/vtable.hpp"
#include "qemu-driver/driver.hpp"

#include <memory>
#include <string>
#include <vector>

namespace vireo::qemu {

/// org.vireo.Connect1. Documentation of the members: interfaces/.
class NativeConnectInterface : public std::enable_shared_from_this<NativeConnectInterface> {
  public:
    explicit NativeConnectInterface(Driver& driver) : driver_(driver) {}

    Scope& tasks() { return driver_.ctx.tasks; }

    Task<std::vector<std::string>> domain_xml_to_arguments(std::string xml);
    Task<std::string> describe_xml(std::string xml);
    Task<std::vector<bus::Dict>> check_domain(std::string xml);

  private:
    Driver& driver_;
};

extern const sd_bus_vtable native_connect_vtable[];

} // namespace vireo::qemu
