// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"
#include "storage-driver/bus/connect_interface.hpp"
#include "storage-driver/bus/host_memory_interface.hpp"
#include "storage-driver/bus/memory_policy_interface.hpp"
#include "storage-driver/bus/pool_interface.hpp"
#include "storage-driver/bus/volume_interface.hpp"

#include <doctest/doctest.h>

using namespace vireo;
using namespace vireo::storage;

TEST_CASE("storaged serves what the contract gives it") {
    using Differences = std::vector<std::string>;
    CHECK(bus::contract_differences("storaged", connect_interface, connect_vtable) ==
          Differences{});
    CHECK(bus::contract_differences("storaged", pool_interface, pool_vtable) == Differences{});
    CHECK(bus::contract_differences("storaged", volume_interface, volume_vtable) == Differences{});
    CHECK(bus::contract_differences("storaged", host_memory_interface, host_memory_vtable) ==
          Differences{});
    CHECK(bus::contract_differences("storaged", memory_policy_interface, memory_policy_vtable) ==
          Differences{});
}
