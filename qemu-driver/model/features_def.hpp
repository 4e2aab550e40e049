// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <optional>
#include <string>

/// `<features>` of the machine and its hypervisor interfaces.
namespace vireo::qemu {

enum class HypervMode { custom, passthrough };
enum class IoapicDriver { kvm, qemu };

struct HypervSpinlocks {
    OnOff state{};
    std::optional<uint32_t> retries;
};

struct HypervStimer {
    OnOff state{};
    std::optional<OnOff> direct;
};

struct HypervVendorId {
    OnOff state{};
    std::optional<std::string> value;
};

struct HypervFeatures {
    std::optional<HypervMode> mode;
    std::optional<OnOff> relaxed;
    std::optional<OnOff> vapic;
    std::optional<HypervSpinlocks> spinlocks;
    std::optional<OnOff> vpindex;
    std::optional<OnOff> runtime;
    std::optional<OnOff> synic;
    std::optional<HypervStimer> stimer;
    std::optional<OnOff> reset;
    std::optional<HypervVendorId> vendor_id;
    std::optional<OnOff> frequencies;
    std::optional<OnOff> reenlightenment;
    std::optional<OnOff> tlbflush;
    std::optional<OnOff> ipi;
    std::optional<OnOff> evmcs;
    std::optional<OnOff> avic;
};

struct KvmDirtyRing {
    OnOff state{};
    std::optional<uint32_t> size;
};

struct KvmFeatures {
    std::optional<OnOff> hidden;
    std::optional<OnOff> hint_dedicated;
    std::optional<OnOff> poll_control;
    std::optional<OnOff> pv_ipi;
    std::optional<KvmDirtyRing> dirty_ring;
};

/// `<hap state=/>`: without a state it is on.
struct SwitchFeature {
    std::optional<OnOff> state;
};

struct ApicFeature {
    std::optional<OnOff> eoi;
};

struct SmmFeature {
    std::optional<OnOff> state;
    /// `<tseg>`: memory set aside for it.
    std::optional<uint64_t> tseg_bytes;
};

/// Of machines that are no PCs: known, and refused by `validate`.
struct OtherFeatures {
    std::optional<xml::Raw> gic;
    std::optional<xml::Raw> hpt;
    std::optional<xml::Raw> htm;
    std::optional<xml::Raw> nested_hv;
    std::optional<xml::Raw> ccf_assist;
    std::optional<xml::Raw> cfpc;
    std::optional<xml::Raw> sbbc;
    std::optional<xml::Raw> ibs;
};

struct FeaturesDef {
    bool acpi{};
    bool pae{};
    std::optional<ApicFeature> apic;
    std::optional<SwitchFeature> hap;
    bool viridian{};
    bool privnet{};
    std::optional<HypervFeatures> hyperv;
    std::optional<KvmFeatures> kvm;
    std::optional<SwitchFeature> pvspinlock;
    std::optional<OnOff> pmu;
    std::optional<OnOff> vmport;
    std::optional<IoapicDriver> ioapic;
    std::optional<SmmFeature> smm;
    std::optional<SwitchFeature> vmcoreinfo;
    std::optional<uint64_t> tcg_tb_cache_kib;
    OtherFeatures others;
    /// Of other hypervisors, without a meaning for QEMU; kept to the letter.
    std::optional<xml::Raw> capabilities;
    std::optional<xml::Raw> xen;
    std::optional<xml::Raw> msrs;
    xml::Where where;
};

const xml::Type& describe(const FeaturesDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::HypervMode> {
    static constexpr std::array<std::string_view, 2> names{"custom", "passthrough"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::IoapicDriver> {
    static constexpr std::array<std::string_view, 2> names{"kvm", "qemu"};
};
