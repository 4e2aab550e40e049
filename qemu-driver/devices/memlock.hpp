// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>

namespace vireo::qemu {

/// libvirt's number for "as much as it wants".
constexpr uint64_t unlimited_memory = 9007199254740991;

/// How much memory, in bytes, QEMU must be allowed to lock for this guest: what devices reach by
/// DMA stays where it is. 0: the host's own limit will do. With too small a limit QEMU starts all
/// the same and its NVMe driver maps each request anew, so it is set before QEMU runs, and raised
/// before a device is plugged that needs more.
uint64_t locked_memory_limit(const DomainDef& def);

/// All of the guest's memory stays where it is: devices reach it by DMA, or it is `<locked/>`.
bool pins_memory(const DomainDef& def);

} // namespace vireo::qemu
