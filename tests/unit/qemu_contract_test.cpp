// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/bus/contract.hpp"
#include "qemu-driver/bus/connect_interface.hpp"
#include "qemu-driver/bus/domain_interface.hpp"
#include "qemu-driver/bus/memory_device_interface.hpp"
#include "qemu-driver/bus/native_connect_interface.hpp"
#include "qemu-driver/bus/native_domain_interface.hpp"
#include "qemu-driver/bus/snapshot_interface.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

using namespace vireo;

namespace {

std::string differences(const char* interface, const sd_bus_vtable* vtable) {
    return fmt::format("{}",
                       fmt::join(bus::contract_differences("qemud", interface, vtable), "\n"));
}

} // namespace

TEST_CASE("the host's interface is what the contract promises of this driver") {
    CHECK(differences("org.libvirt.Connect", qemu::connect_vtable) == "");
    CHECK(differences("org.vireo.Connect1", qemu::native_connect_vtable) == "");
}

TEST_CASE("a domain's interfaces are what the contract promises of this driver") {
    CHECK(differences("org.libvirt.Domain", qemu::domain_vtable) == "");
    CHECK(differences("org.libvirt.DomainSnapshot", qemu::snapshot_vtable) == "");
    CHECK(differences("org.vireo.Domain1", qemu::native_domain_vtable) == "");
    CHECK(differences("org.vireo.MemoryDevice1", qemu::memory_device_vtable) == "");
}
