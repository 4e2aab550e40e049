// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_def.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace vireo::qemu {

/// The name by which QEMU's block layer knows the device of a disk that has an alias.
std::string block_device_of(const DiskDef& disk);

/// The arguments of `block_set_io_throttle` for the limits of a disk; nothing where it has none, or
/// no medium, which QEMU has no limits for. Bytes and operations a second; 0 is no limit.
std::optional<nlohmann::json> throttle_arguments(const DiskDef& disk);

} // namespace vireo::qemu
