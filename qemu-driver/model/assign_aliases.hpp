// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

namespace vireo::qemu {

/// Gives every device without an alias the name that libvirt gives it (`virtio-disk0`, `net0`,
/// `ide0-0-1`, `pci.1`), so that tools find the devices they know. `assign_addresses` must have
/// run: the names of disks and controllers come from their addresses and indexes. Names that are
/// given (`ua-…`) stay. Source: the aliases in libvirt's documentation and its QEMU command lines.
void assign_aliases(DomainDef& def);

} // namespace vireo::qemu
