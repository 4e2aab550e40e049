// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

namespace vireo::qemu {

/// Refuses what is well-formed but cannot work: two devices with one name, combinations that QEMU
/// or Vireo does not have, values out of range. `fill_defaults` must have run. Throws
/// config_unsupported with the element, its line, the value and what to do.
void validate(const DomainDef& def, const HostFacts& facts);
/// The part of it about disks.
void validate_disks(const DomainDef& def);

} // namespace vireo::qemu
