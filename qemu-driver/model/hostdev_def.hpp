// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/disk_source.hpp"
#include "qemu-driver/model/interface_def.hpp"

/// `<hostdev>`: a device of the host in the guest.
namespace vireo::qemu {

enum class PciHostdevDriver { kvm, vfio, xen };

struct PciHostdev {
    std::optional<PciAddressKind> kind;
    PciAddress address;
    std::optional<PciHostdevDriver> driver;
    std::optional<YesNo> write_filtering;
};

/// Which of the guest's resets reach the device.
enum class GuestReset { off, uninitialized, on };

struct UsbHostdev {
    std::optional<uint32_t> vendor;
    std::optional<uint32_t> product;
    /// `<address bus= device=/>`: where on the host, instead of or beside what.
    std::optional<uint32_t> bus;
    std::optional<uint32_t> device;
    std::optional<StartupPolicy> startup_policy;
    std::optional<GuestReset> guest_reset;
};

struct ScsiHostAddress {
    uint32_t bus{};
    uint32_t target{};
    uint64_t unit{};
};

enum class ScsiProtocol { adapter, iscsi };
enum class HostdevSgio { filtered, unfiltered };

/// A SCSI device behind a host adapter, or an iSCSI LUN.
struct ScsiHostdev {
    /// iSCSI: `name`, `hosts` and what follows; otherwise the adapter and the address on it.
    std::optional<ScsiProtocol> protocol;
    std::optional<std::string> name;
    std::vector<SourceHost> hosts;
    std::optional<std::string> initiator_iqn;
    std::optional<AuthDef> auth;
    /// `scsi_host0`.
    std::optional<std::string> adapter;
    std::optional<ScsiHostAddress> address;
    std::optional<HostdevSgio> sgio;
    std::optional<YesNo> rawio;
};

/// `<source protocol='vhost' wwpn=/>`.
enum class VhostProtocol { vhost };

struct ScsiVhostHostdev {
    VhostProtocol protocol{};
    std::string wwpn;
    std::optional<VirtioModel> model;
};

enum class MdevModel { vfio_pci, vfio_ccw, vfio_ap };

struct MdevHostdev {
    std::string uuid;
    MdevModel model{};
    std::optional<OnOff> display;
    std::optional<OnOff> ramfb;
};

enum class HostdevType { pci, usb, scsi, scsi_host, mdev };

/// In the order of `HostdevType`.
using HostdevSource =
    std::variant<PciHostdev, UsbHostdev, ScsiHostdev, ScsiVhostHostdev, MdevHostdev>;

enum class HostdevMode { subsystem, capabilities };

struct HostdevDef {
    HostdevMode mode{};
    HostdevSource source;
    std::optional<YesNo> managed;
    bool readonly{};
    bool shareable{};
    std::optional<TeamingDef> teaming;
    DeviceInfo info;

    HostdevType type() const { return static_cast<HostdevType>(source.index()); }
};

const xml::Type& describe(const HostdevDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::PciHostdevDriver> {
    static constexpr std::array<std::string_view, 3> names{"kvm", "vfio", "xen"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::MdevModel> {
    static constexpr std::array<std::string_view, 3> names{"vfio-pci", "vfio-ccw", "vfio-ap"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HostdevType> {
    static constexpr std::array<std::string_view, 5> names{
        "pci", "usb", "scsi", "scsi_host", "mdev"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HostdevMode> {
    static constexpr std::array<std::string_view, 2> names{"subsystem", "capabilities"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::ScsiProtocol> {
    static constexpr std::array<std::string_view, 2> names{"adapter", "iscsi"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::HostdevSgio> {
    static constexpr std::array<std::string_view, 2> names{"filtered", "unfiltered"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VhostProtocol> {
    static constexpr std::array<std::string_view, 1> names{"vhost"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::GuestReset> {
    static constexpr std::array<std::string_view, 3> names{"off", "uninitialized", "on"};
};
