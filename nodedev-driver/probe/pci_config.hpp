// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/pci_capability.hpp"

#include <optional>
#include <string_view>

namespace vireo::nodedev {

/// What a PCI function's configuration space says. Source: PCI Local Bus Specification 3.0,
/// section 6; PCI Express Base Specification 4.0, section 7.5.3.
struct PciConfig {
    std::optional<PciBridge> bridge;
    std::optional<PcieInfo> pcie;
};

/// Reads `config`; without root the kernel gives the first 64 bytes only, and then the capability
/// list, and with it PCIe, is not seen.
PciConfig parse_pci_config(std::string_view config);

} // namespace vireo::nodedev
