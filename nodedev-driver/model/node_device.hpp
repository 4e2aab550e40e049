// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "libshared/xml/field.hpp"
#include "nodedev-driver/model/pci_capability.hpp"

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

struct NetLink {
    /// Mbit/s; 0 is not known (the link is down, or the driver does not tell).
    uint32_t speed_mbit{};
    /// IF_OPER_* as the kernel writes it: `up`, `down`, `unknown` ...; empty is not known.
    std::string state;

    bool operator==(const NetLink&) const = default;
};

struct NetCapability {
    std::string interface;
    std::string address;
    NetLink link;
    /// Offloads that are on, in libvirt's order and words (`rx`, `tx`, `sg` ...).
    std::vector<std::string> features;
    bool wireless{};

    bool operator==(const NetCapability&) const = default;
};

/// What is in a drive whose medium can be changed.
struct RemovableMedia {
    bool available{};
    std::string label;

    bool operator==(const RemovableMedia&) const = default;
};

/// A disk, optical or floppy drive. Sizes are bytes; 0 is not known.
struct StorageCapability {
    std::string block;
    std::string bus;
    std::string drive_type;
    std::string model;
    std::string vendor;
    std::string serial;
    std::optional<RemovableMedia> removable;
    uint64_t size{};
    uint64_t logical_block_size{};
    uint64_t num_blocks{};
    bool hotpluggable{};

    bool operator==(const StorageCapability&) const = default;
};

/// A device has exactly one main capability; those inside it (a PCI function's SR-IOV) are its
/// part.
using Capability = std::variant<SystemCapability,
                                PciCapability,
                                UsbDeviceCapability,
                                UsbInterfaceCapability,
                                NetCapability,
                                StorageCapability>;

/// The words of Capability's alternatives, in their order.
enum class CapabilityType { system, pci, usb_device, usb, net, storage };

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
    static constexpr std::array<std::string_view, 6> names{
        "system", "pci", "usb_device", "usb", "net", "storage"};
};
