// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"
#include "qemu-driver/model/domain_def.hpp"

namespace vireo::qemu {

/// Finds where on the host the USB devices of `<hostdev>` are that a definition names by vendor and
/// product. Those that are not there and have startupPolicy='optional' go. Throws operation_failed
/// with the line where one is not there, or the host has several.
void find_usb_devices(DomainDef& live, const Sysfs& host);

} // namespace vireo::qemu
