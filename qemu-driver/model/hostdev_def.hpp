// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "disk_source.hpp"
#include "interface_def.hpp"

/// `<hostdev>`: a device of the host in the guest.
namespace vireo::qemu {

enum class PciHostdevDriver { kvm, vfio, xen };

struct PciHostdev {
    PciAddress address;
    std::optional<PciHostdevDriver> driver;
};

struct UsbHostdev {
    std::optional<uint32_t> vendor;
    std::optional<uint32_t> product;
    std::optional<uint32_t> bus;
    std::optional<uint32_t> device;
    std::optional<StartupPolicy> startup_policy;
    /// `guestReset=`: off, uninitialized, on.
    std::optional<std::string> guest_reset;
};

/// `<source><adapter name='scsi_host0'/><address bus= target= unit=/>` or an iSCSI LUN.
struct ScsiHostdev {
    std::optional<std::string> adapter;
    uint32_t bus{};
    uint32_t target{};
    uint64_t unit{};
    std::optional<NetworkSource> iscsi;
    std::optional<AuthDef> iscsi_auth;
    std::optional<YesNo> rawio;
};

/// `<source protocol='vhost' wwpn=/>`.
struct ScsiVhostHostdev {
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
