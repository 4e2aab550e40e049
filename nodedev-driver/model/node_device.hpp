// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/field.hpp"
#include "nodedev-driver/model/channel_capability.hpp"
#include "nodedev-driver/model/mediated_capability.hpp"
#include "nodedev-driver/model/nvme_capability.hpp"
#include "nodedev-driver/model/pci_capability.hpp"
#include "nodedev-driver/model/scsi_capability.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A device of the host as libvirt's node-device XML describes it: plain data.
namespace vireo::nodedev {

/// The computer itself, from its SMBIOS tables. Empty strings are not known.
struct SystemCapability {
    std::string product;
    std::string vendor;
    std::string version;
    std::string serial;
    std::string uuid;
    std::string firmware_vendor;
    std::string firmware_version;
    std::string firmware_date;

    bool operator==(const SystemCapability&) const = default;
};

struct UsbDeviceCapability {
    uint32_t bus{};
    uint32_t device{};
    NamedId product;
    NamedId vendor;

    bool operator==(const UsbDeviceCapability&) const = default;
};

/// One interface of a USB device; the numbers are those of the USB interface descriptor.
struct UsbInterfaceCapability {
    uint32_t number{};
    uint32_t class_code{};
    uint32_t subclass{};
    uint32_t protocol{};
    std::string description;

    bool operator==(const UsbInterfaceCapability&) const = default;
};

/// IF_OPER_* in the kernel's words; `none` has no word: it is not known.
enum class LinkState { none, unknown, notpresent, down, lowerlayerdown, testing, dormant, up };

struct NetLink {
    /// Mbit/s; 0 is not known (the link is down, or the driver does not tell).
    uint32_t speed_mbit{};
    LinkState state{};

    bool operator==(const NetLink&) const = default;
};

/// Offloads and abilities, in libvirt's order and words.
enum class NetFeature {
    rx,
    tx,
    sg,
    tso,
    gso,
    gro,
    lro,
    rxvlan,
    txvlan,
    ntuple,
    rxhash,
    rdma,
    txudptnl,
    switchdev
};

enum class NetKind { ethernet, wireless };

struct NetMedium {
    NetKind type{};

    bool operator==(const NetMedium&) const = default;
};

struct NetCapability {
    std::string interface;
    std::string address;
    NetLink link;
    /// Those that are on, in the order of NetFeature.
    std::vector<NetFeature> features;
    std::optional<NetMedium> medium;

    bool operator==(const NetCapability&) const = default;
};

/// What is in a drive whose medium can be changed. Sizes are bytes; 0 is not known.
struct RemovableMedia {
    Word<"removable"> type{};
    bool available{};
    uint64_t size{};
    std::string label;
    uint64_t logical_block_size{};
    uint64_t num_blocks{};

    bool operator==(const RemovableMedia&) const = default;
};

struct Hotpluggable {
    Word<"hotpluggable"> type{};

    bool operator==(const Hotpluggable&) const = default;
};

/// A disk, optical or floppy drive. Sizes are bytes, 0 is not known; a drive with removable media
/// has them there.
struct StorageCapability {
    std::string block;
    std::string bus;
    std::string drive_type;
    std::string model;
    std::string vendor;
    std::string serial;
    uint64_t size{};
    uint64_t logical_block_size{};
    uint64_t num_blocks{};
    std::optional<RemovableMedia> removable;
    std::optional<Hotpluggable> hotpluggable;
    std::optional<NvmeNamespace> nvme_namespace;

    bool operator==(const StorageCapability&) const = default;
};

enum class DrmType { primary, control, render };

struct DrmCapability {
    DrmType type{};

    bool operator==(const DrmCapability&) const = default;
};

struct VdpaCapability {
    /// `/dev/vhost-vdpa-0`
    std::string chardev;

    bool operator==(const VdpaCapability&) const = default;
};

/// A device has exactly one main capability; those inside it (a PCI function's SR-IOV) are its
/// part.
using Capability = std::variant<SystemCapability,
                                PciCapability,
                                UsbDeviceCapability,
                                UsbInterfaceCapability,
                                NetCapability,
                                ScsiHostCapability,
                                ScsiTargetCapability,
                                ScsiCapability,
                                StorageCapability,
                                ScsiGenericCapability,
                                DrmCapability,
                                MdevCapability,
                                CcwCapability,
                                CssCapability,
                                VdpaCapability,
                                ApCardCapability,
                                ApQueueCapability,
                                ApMatrixCapability,
                                NvmeCapability>;

/// The words of Capability's alternatives, in their order.
enum class CapabilityType {
    system,
    pci,
    usb_device,
    usb,
    net,
    scsi_host,
    scsi_target,
    scsi,
    storage,
    scsi_generic,
    drm,
    mdev,
    ccw,
    css,
    vdpa,
    ap_card,
    ap_queue,
    ap_matrix,
    nvme
};

struct NodeDevice {
    std::string name;
    /// Place below /sys; none for the computer.
    std::optional<std::string> path;
    std::optional<std::string> devnode;
    std::vector<std::string> devlinks;
    std::optional<std::string> parent;
    std::optional<std::string> driver;
    Capability capability;

    bool operator==(const NodeDevice&) const = default;
};

const xml::Type& describe(const NodeDevice*);

/// The device's document as libvirt writes it.
std::string format_device(const NodeDevice& device);

/// The device every other one hangs below.
inline constexpr std::string_view computer_name = "computer";

/// `<subsystem>_<sysname>[_<detail>]` with all but ASCII letters and digits replaced by `_`:
/// `pci_0000_00_1f_2`, `net_eth0_52_54_00_12_34_56`, `usb_1_2`.
/// Source: libvirt's naming, seen in its node-device listings.
std::string
device_name(std::string_view subsystem, std::string_view sysname, std::string_view detail = {});

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::CapabilityType> {
    static constexpr std::array<std::string_view, 19> names{"system",
                                                            "pci",
                                                            "usb_device",
                                                            "usb",
                                                            "net",
                                                            "scsi_host",
                                                            "scsi_target",
                                                            "scsi",
                                                            "storage",
                                                            "scsi_generic",
                                                            "drm",
                                                            "mdev",
                                                            "ccw",
                                                            "css",
                                                            "vdpa",
                                                            "ap_card",
                                                            "ap_queue",
                                                            "ap_matrix",
                                                            "nvme"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::LinkState> {
    static constexpr std::array<std::string_view, 8> names{
        "", "unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::NetFeature> {
    static constexpr std::array<std::string_view, 14> names{"rx",
                                                            "tx",
                                                            "sg",
                                                            "tso",
                                                            "gso",
                                                            "gro",
                                                            "lro",
                                                            "rxvlan",
                                                            "txvlan",
                                                            "ntuple",
                                                            "rxhash",
                                                            "rdma",
                                                            "txudptnl",
                                                            "switchdev"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::NetKind> {
    static constexpr std::array<std::string_view, 2> names{"80203", "80211"};
};

template <>
struct vireo::xml::EnumNames<vireo::nodedev::DrmType> {
    static constexpr std::array<std::string_view, 3> names{"primary", "control", "render"};
};
