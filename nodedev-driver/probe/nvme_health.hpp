// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "nodedev-driver/model/nvme_health.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace vireo::nodedev {

using HealthPage = std::array<std::byte, 512>;

/// Reads the log page. Source: NVM Express Base Specification 2.0c, section 5.16.1.3, "SMART /
/// Health Information (Log Identifier 02h)", figure 207.
NvmeHealth parse_health(const HealthPage& page);

/// Asks the controller at the node `/dev/nvme0` by Get Log Page (section 5.16). Waits for the
/// drive, at most some seconds: for a worker thread. Throws system_error where the kernel refuses,
/// operation_failed with the status (section 3.3.3.2.1) where the drive does. On a host that is
/// made up the page is what the node's file holds.
NvmeHealth read_health(const Sysfs& sysfs, const std::string& node);

} // namespace vireo::nodedev
