// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/cpu_def.hpp"

/// `<memory>`, `<currentMemory>`, `<maxMemory>` and `<memoryBacking>`.
namespace vireo::qemu {

struct MaxMemory {
    uint64_t kib{};
    uint32_t slots{};
};

struct MemoryDef {
    /// All memory at start, memory devices included.
    uint64_t total_kib{};
    /// The balloon's target; absent only before `fill_defaults`.
    std::optional<uint64_t> current_kib;
    std::optional<MaxMemory> max;
    std::optional<OnOff> dump_core;
};

/// `<page size= nodeset=/>`: the cells without a nodeset's page of their own use this one.
struct HugePage {
    uint64_t size_kib{};
    std::optional<std::string> nodeset;
    xml::Where where{};
};

struct HugePagesDef {
    /// None: the host's default size.
    std::vector<HugePage> pages;
};

enum class MemoryBackingSource { file, anonymous, memfd };
enum class MemoryAllocation { immediate, ondemand };

struct MemoryBackingDef {
    std::optional<HugePagesDef> hugepages;
    bool nosharepages{};
    bool locked{};
    std::optional<MemoryBackingSource> source;
    std::optional<MemoryAccess> access;
    std::optional<MemoryAllocation> allocation;
    std::optional<uint32_t> allocation_threads;
    bool discard{};
    xml::Where where;
};

const xml::Type& describe(const MemoryDef*);
const xml::Type& describe(const MemoryBackingDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::MemoryBackingSource> {
    static constexpr std::array<std::string_view, 3> names{"file", "anonymous", "memfd"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::MemoryAllocation> {
    static constexpr std::array<std::string_view, 2> names{"immediate", "ondemand"};
};
