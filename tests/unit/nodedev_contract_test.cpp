// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"
#include "nodedev-driver/bus/connect_interface.hpp"
#include "nodedev-driver/bus/native_interfaces.hpp"
#include "nodedev-driver/bus/node_device_interface.hpp"
#include "nodedev-driver/bus/nvme_interfaces.hpp"
#include "nodedev-driver/probe/monitor.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::nodedev;

TEST_CASE("nodedevd serves what the contract gives it") {
    using Differences = std::vector<std::string>;
    CHECK(bus::contract_differences("nodedevd", connect_interface, connect_vtable) ==
          Differences{});
    CHECK(bus::contract_differences("nodedevd", node_device_interface, node_device_vtable) ==
          Differences{});
    CHECK(bus::contract_differences("nodedevd", native_device_interface, native_device_vtable) ==
          Differences{});
    CHECK(bus::contract_differences(
              "nodedevd", nvme_controller_interface, nvme_controller_vtable) == Differences{});
    CHECK(bus::contract_differences("nodedevd", nvme_namespace_interface, nvme_namespace_vtable) ==
          Differences{});
}

TEST_CASE("the kernel's messages are read, and nothing else is taken for one") {
    using namespace std::string_view_literals;
    const Uevent added = parse_uevent("add@/devices/pci0000:00/0000:00:03.0\0ACTION=add\0"sv);
    CHECK(added.action == "add");
    CHECK(added.path == "/devices/pci0000:00/0000:00:03.0");
    for (const std::string_view other :
         {"libudev\0\xfe\xed\xca\xfe"sv, "add"sv, "add@"sv, ""sv, "add@devices"sv}) {
        CHECK(parse_uevent(other).path.empty());
    }
}
