// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <vector>

/// What a running guest was promised of the host's memory, and what it has of it.
namespace vireo::qemu {

/// One NUMA cell of the host, or `any_cell`. Bytes.
struct MemoryPromise {
    int32_t cell{};
    /// The most that the guest can have: its memory and all of its memory devices.
    uint64_t size{};
    /// What it is asked to have.
    uint64_t requested{};
    /// What it has.
    uint64_t current{};
    /// What its balloon holds back: of its size, not of what it has.
    uint64_t balloon{};
    /// What cannot be swapped or given back: devices reach it by DMA, or it is `<locked/>`.
    uint64_t locked{};

    bool operator==(const MemoryPromise&) const = default;
};

/// Memory that no single cell was chosen for: the kernel takes it from where there is some.
inline constexpr int32_t any_cell = -1;

/// The rows of `live`, in the order of their cells, none of them empty. Memory that is bound to one
/// cell counts there, interleaved memory in equal parts in each of its cells, all other at
/// any_cell. `balloon_target_kib`: what the balloon is asked to leave the guest, in KiB; absent
/// where that is what it does leave. `pinned`: all of the guest's memory is locked.
std::vector<MemoryPromise>
memory_promises(const DomainDef& live, std::optional<uint64_t> balloon_target_kib, bool pinned);

} // namespace vireo::qemu
