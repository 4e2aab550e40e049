// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/pci_capability.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vireo::nodedev {

/// `0000:00:1f.2`, as the kernel names PCI functions.
std::optional<PciAddress> parse_pci_address(std::string_view name);
std::string format_pci_address(const PciAddress& address);

} // namespace vireo::nodedev
