// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <optional>
#include <string>
#include <vector>

/// Which of the host's pages the guest's memory lies on.
namespace vireo::qemu {

/// Pages of the processor when they are not huge; `<page size='4'/>` asks for no huge ones.
inline constexpr uint64_t ordinary_page_kib = 4;

/// The huge pages that memory is to lie on.
struct HugePageWish {
    /// None: the host's default size.
    std::optional<uint64_t> size_kib;
    /// Said of this cell, not of all memory.
    bool of_cell = false;
};

/// What `<hugepages>` says of a NUMA cell, or of all memory where there is no cell. Nothing:
/// ordinary pages.
std::optional<HugePageWish> huge_pages_of(const DomainDef& def, std::optional<uint32_t> cell);

/// Size of the host's pages that this device lies on: its own, those of its NUMA cell, the host's
/// usual ones.
uint64_t
backing_page_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts);

/// What a virtio-mem device gives and takes at a time. Where the document does not say: a
/// transparent huge page, or a page of the backing where that is larger, as QEMU chooses.
uint64_t block_kib(const DomainDef& def, const MemoryDeviceDef& memory, const HostFacts& facts);

/// A piece of memory that QEMU takes from the host when the guest starts. What virtio-mem plugs
/// comes later, and what has a file of its own comes from there.
struct StartMemory {
    std::string what; ///< `NUMA cell 0`
    uint64_t size_kib{};
    uint64_t page_kib{};
    std::optional<std::string> nodes; ///< of the host, where it may come from no others
    xml::Where where;
};

std::vector<StartMemory> start_memory(const DomainDef& def, const HostFacts& facts);

} // namespace vireo::qemu
