// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

/// `<cpu>`: model, features, topology, NUMA cells.
namespace vireo::qemu {

enum class CpuMode { custom, host_model, host_passthrough, maximum };
enum class CpuMatch { minimum, exact, strict };
enum class CpuCheck { default_, none, partial, full };
enum class CpuFallback { allow, forbid };
enum class CpuFeaturePolicy { force, require, optional, disable, forbid };
enum class CpuCacheMode { emulate, passthrough, disable };
enum class PhysBitsMode { emulate, passthrough };

struct CpuFeature {
    std::string name;
    std::optional<CpuFeaturePolicy> policy;
    xml::Where where{};
};

struct CpuModelDef {
    std::optional<CpuFallback> fallback;
    std::optional<std::string> vendor_id;
    /// Empty with a mode that has no model.
    std::string name;
    xml::Where where{};
};

struct CpuTopology {
    uint32_t sockets{};
    uint32_t dies{1};
    uint32_t cores{};
    uint32_t threads{};
    xml::Where where{};
};

struct CpuCache {
    std::optional<uint32_t> level;
    CpuCacheMode mode{};
    xml::Where where{};
};

struct CpuPhysBits {
    PhysBitsMode mode{};
    std::optional<uint32_t> bits;
    std::optional<uint32_t> limit;
    xml::Where where{};
};

enum class MemoryAccess { shared, private_ };

enum class HmatAssociativity { none, direct, full };
enum class HmatPolicy { none, writeback, writethrough };

struct HmatCache {
    uint32_t level{};
    HmatAssociativity associativity{};
    HmatPolicy policy{};
    uint64_t size_kib{};
    uint32_t line_bytes{};
    xml::Where where{};
};

struct NumaSibling {
    uint32_t id{};
    uint32_t value{};
    xml::Where where{};
};

struct NumaCell {
    /// Absent only before `fill_defaults`.
    std::optional<uint32_t> id;
    /// Sorted ranges as text, `0-3,8`; absent: a cell without vCPUs.
    std::optional<std::string> cpus;
    uint64_t memory_kib{};
    std::optional<MemoryAccess> access;
    std::optional<YesNo> discard;
    std::vector<NumaSibling> distances;
    std::vector<HmatCache> caches;
    xml::Where where{};
};

enum class HmatAccess { access, read, write };

/// What one access from a cell to another costs.
struct HmatInterconnect {
    uint32_t initiator{};
    uint32_t target{};
    std::optional<uint32_t> cache;
    HmatAccess type{};
    xml::Where where{};
};

struct HmatLatency : HmatInterconnect {
    uint64_t ns{};
};

struct HmatBandwidth : HmatInterconnect {
    uint64_t kib_per_s{};
};

struct CpuDef {
    std::optional<CpuMode> mode;
    std::optional<CpuMatch> match;
    std::optional<CpuCheck> check;
    std::optional<OnOff> migratable;
    std::optional<CpuModelDef> model;
    std::optional<std::string> vendor;
    std::optional<CpuTopology> topology;
    std::optional<CpuCache> cache;
    std::optional<CpuPhysBits> phys_bits;
    std::vector<CpuFeature> features;
    std::vector<NumaCell> cells;
    std::vector<std::variant<HmatLatency, HmatBandwidth>> interconnects;
    xml::Where where;
};

const xml::Type& describe(const CpuDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuMode> {
    static constexpr std::array<std::string_view, 4> names{
        "custom", "host-model", "host-passthrough", "maximum"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuMatch> {
    static constexpr std::array<std::string_view, 3> names{"minimum", "exact", "strict"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuCheck> {
    static constexpr std::array<std::string_view, 4> names{"default", "none", "partial", "full"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuFallback> {
    static constexpr std::array<std::string_view, 2> names{"allow", "forbid"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuFeaturePolicy> {
    static constexpr std::array<std::string_view, 5> names{
        "force", "require", "optional", "disable", "forbid"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::CpuCacheMode> {
    static constexpr std::array<std::string_view, 3> names{"emulate", "passthrough", "disable"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PhysBitsMode> {
    static constexpr std::array<std::string_view, 2> names{"emulate", "passthrough"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::MemoryAccess> {
    static constexpr std::array<std::string_view, 2> names{"shared", "private"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HmatAssociativity> {
    static constexpr std::array<std::string_view, 3> names{"none", "direct", "full"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HmatPolicy> {
    static constexpr std::array<std::string_view, 3> names{"none", "writeback", "writethrough"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HmatAccess> {
    static constexpr std::array<std::string_view, 3> names{"access", "read", "write"};
};
