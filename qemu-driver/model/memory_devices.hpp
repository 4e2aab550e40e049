// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <span>
#include <vector>

/// What memory devices mean for the guest as a whole: sizes, pages, how much the guest has.
namespace vireo::qemu {

/// Documents count in KiB, QEMU and the native API in bytes.
inline constexpr uint64_t bytes_per_kib = 1024;

/// Size of the host's pages that this device lies on: its own, those of its NUMA cell, the host's
/// usual ones.
uint64_t
backing_page_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts);

/// What a virtio-mem device gives and takes at a time. Where the document does not say: a
/// transparent huge page, or a page of the backing where that is larger, as QEMU chooses.
uint64_t block_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts);

/// How much of the device the guest has.
uint64_t plugged_kib(const MemoryDeviceDef& memory);

/// The guest's memory without its virtio-mem devices: what a balloon works in.
uint64_t fixed_memory_kib(const DomainDef& def);

/// What the guest has without any memory device.
uint64_t initial_memory_kib(const DomainDef& def);

/// What virtio-mem has plugged at the moment, over all devices.
uint64_t virtio_mem_kib(const DomainDef& def);

/// What a guest that starts is to have in its balloon's part: `<currentMemory>` without what
/// virtio-mem is to plug.
uint64_t initial_balloon_kib(const DomainDef& def);

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
