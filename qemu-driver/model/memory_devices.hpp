// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <span>
#include <vector>

/// What memory devices mean for the guest as a whole: sizes, how much the guest has.
namespace vireo::qemu {

/// Documents count in KiB, QEMU and the native API in bytes.
inline constexpr uint64_t bytes_per_kib = 1024;

/// How much of the device the guest has.
uint64_t plugged_kib(const MemoryDeviceDef& memory);

/// The RAM that the guest has from its start or by DIMMs: what a balloon works in. Memory with a
/// file of its own and that of enclaves is none.
uint64_t fixed_memory_kib(const DomainDef& def);

/// What the balloon is to leave the guest so that it has `kib` altogether: what virtio-mem has
/// plugged stays. Throws invalid_arg where the balloon cannot bring that about.
uint64_t balloon_target_kib(const DomainDef& live, uint64_t kib);

/// What the guest has without any memory device.
uint64_t initial_memory_kib(const DomainDef& def);

/// What virtio-mem has plugged at the moment, over all devices.
uint64_t virtio_mem_kib(const DomainDef& def);

/// What a guest that starts is to have in its balloon's part: `<currentMemory>` without what
/// virtio-mem is to plug.
uint64_t initial_balloon_kib(const DomainDef& def);

/// Sizes as QEMU takes them: cells and the whole in MiB, devices in large pages of x86.
void align_memory(DomainDef& def);
void align_memory(MemoryDeviceDef& memory);

/// A device joins the guest or leaves it: the totals follow.
void add_memory_device(DomainDef& def, MemoryDeviceDef memory);
void remove_memory_device(DomainDef& def, std::size_t place);

/// The device that another document means: by alias or else by address where these are given, or
/// else the only one with this model, size, node and block. Throws device_missing where there is
/// none, operation_failed where there are several.
std::size_t find_memory_device(const DomainDef& def, const MemoryDeviceDef& wanted);

/// Throws operation_invalid naming what differs between them that a running device keeps for good:
/// anything but the requested size.
void require_same_but_requested(const MemoryDeviceDef& known, const MemoryDeviceDef& wanted);

/// Throws operation_unsupported unless it is a virtio-mem device, and invalid_arg unless it can be
/// asked for so much: a multiple of its block, at most its size.
void require_requestable(const MemoryDeviceDef& memory, uint64_t requested_kib);

/// One virtio-mem device of a guest whose memory is shared out anew.
struct MemoryShare {
    uint32_t node{};
    uint64_t size_kib{};
    uint64_t block_kib{};
    /// The result: a multiple of the block, at most the size.
    uint64_t requested_kib{};
};

/// Shares `amount_kib` out: the same to each node, within a node the same to each device, as far as
/// sizes allow, in whole blocks, never more than the amount altogether. What blocks do not divide
/// goes to the first devices that have room for one more.
void share_memory(std::span<MemoryShare> shares, uint64_t amount_kib);

} // namespace vireo::qemu
