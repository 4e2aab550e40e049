// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/pci_config.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace vireo::nodedev;

namespace {

/// 256 bytes with a capability list of power management (at 0x40) and PCIe (at 0x60).
std::string config_space(unsigned char header_type, unsigned char pcie_kind) {
    std::string config(256, '\0');
    config[0x06] = 0x10;
    config[0x0e] = static_cast<char>(header_type);
    config[0x34] = 0x40;
    config[0x40] = 0x01;
    config[0x41] = 0x60;
    config[0x60] = 0x10;
    config[0x62] = static_cast<char>(pcie_kind << 4);
    config[0x6c] = 0x13; // x1, 8 GT/s
    config[0x6f] = 0x05; // port 5
    config[0x72] = 0x11; // x1, 2.5 GT/s
    return config;
}

} // namespace

TEST_CASE("link capability and status are read from the PCIe capability") {
    const PciConfig endpoint = parse_pci_config(config_space(0x80, 0));
    CHECK_FALSE(endpoint.bridge.has_value());
    REQUIRE(endpoint.pcie.has_value());
    CHECK(endpoint.pcie->capability == PcieLink{.port = 5, .speed = "8", .width = 1});
    CHECK(endpoint.pcie->status == PcieLink{.port = std::nullopt, .speed = "2.5", .width = 1});
}

TEST_CASE("a function integrated in the root complex has no link") {
    const PciConfig integrated = parse_pci_config(config_space(0, 9));
    REQUIRE(integrated.pcie.has_value());
    CHECK_FALSE(integrated.pcie->capability.has_value());
    CHECK_FALSE(integrated.pcie->status.has_value());
}

TEST_CASE("bridges are known by their header") {
    CHECK(parse_pci_config(config_space(0x81, 4)).bridge == PciBridge::pci);
    CHECK(parse_pci_config(config_space(2, 0)).bridge == PciBridge::cardbus);
}

TEST_CASE("what the kernel shows to users without privileges has no PCIe and is no error") {
    const PciConfig partial = parse_pci_config(config_space(1, 4).substr(0, 64));
    CHECK(partial.bridge == PciBridge::pci);
    CHECK_FALSE(partial.pcie.has_value());
    CHECK_FALSE(parse_pci_config("").bridge.has_value());
}

TEST_CASE("a capability list that leads nowhere or in a circle ends") {
    std::string circle = config_space(0, 0);
    circle[0x41] = 0x40;
    CHECK_FALSE(parse_pci_config(circle).pcie.has_value());
    std::string outside = config_space(0, 0);
    outside[0x41] = static_cast<char>(0xff);
    CHECK_FALSE(parse_pci_config(outside).pcie.has_value());
    std::string header = config_space(0, 0);
    header[0x34] = 0x04;
    CHECK_FALSE(parse_pci_config(header).pcie.has_value());
}
