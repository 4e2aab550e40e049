// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "nodedev-driver/model/vital_product_data.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vireo::nodedev {

/// Reads the resources of a PCI device's vital product data; nothing where they break off, are not
/// VPD, or their sum is wrong. Source: PCI Local Bus Specification 3.0, appendix I.
std::optional<VitalProductData> parse_vital_product_data(std::string_view bytes);

/// Is the device at `path` a PCI function that has any?
bool has_vital_product_data(const Sysfs& sysfs, const std::string& path);

/// That of the function at `path`. Each four bytes take the device up to a tenth of a second: for a
/// worker thread.
std::optional<VitalProductData> read_vpd(const Sysfs& sysfs, const std::string& path);

} // namespace vireo::nodedev
