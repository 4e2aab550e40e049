// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <map>
#include <string>

namespace vireo::qemu {

/// The generic device (`/dev/sg2`) of each SCSI device of the host that a guest is given, and a
/// number for its block node, by the alias of its `<hostdev>`. Numbers follow those of the images.
/// Throws operation_failed with the line where the host has no such device, or none of the kernel's
/// module `sg` for it.
/// Source: Linux, Documentation/scsi/scsi-generic.rst and /sys/bus/scsi/devices/H:C:T:L.
std::map<std::string, ScsiHostNode>
find_scsi_devices(const DomainDef& live, const Sysfs& host, uint32_t last_node);

} // namespace vireo::qemu
