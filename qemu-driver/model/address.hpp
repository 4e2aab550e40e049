// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/values.hpp"

#include <compare>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Where a device sits in the guest: one struct per kind of address, `Address` is any of them.
namespace vireo::qemu {

/// A PCI function. All zero means "on PCI, place to be chosen" (`<address type='pci'/>`): the host
/// bridge is there, so no device can be.
struct PciAddress {
    uint32_t domain{};
    uint32_t bus{};
    uint32_t slot{};
    uint32_t function{};
    std::optional<OnOff> multifunction;

    bool is_set() const { return domain != 0 || bus != 0 || slot != 0 || function != 0; }

    /// Same place; `multifunction` is a property of what is there, not of the place.
    friend bool same_place(const PciAddress& a, const PciAddress& b) {
        return a.domain == b.domain && a.bus == b.bus && a.slot == b.slot &&
               a.function == b.function;
    }

    bool operator==(const PciAddress&) const = default;
};

/// A place on a disk controller (IDE, SATA, SCSI, floppy).
struct DriveAddress {
    uint32_t controller{};
    uint32_t bus{};
    uint32_t target{};
    uint32_t unit{};
    bool operator==(const DriveAddress&) const = default;
};

/// The ports along the way through hubs: `1.4` is {1, 4}.
struct UsbPort {
    std::vector<uint32_t> path;
    bool operator==(const UsbPort&) const = default;
};

/// A USB port and the index of its controller. Without a port it is chosen, on that bus.
struct UsbAddress {
    uint32_t bus{};
    std::optional<UsbPort> port;
    bool operator==(const UsbAddress&) const = default;
};

/// A port of a virtio-serial controller. Port 0 is the console's; without a port it is chosen.
struct VirtioSerialAddress {
    uint32_t controller{};
    uint32_t bus{};
    std::optional<uint32_t> port;
    bool operator==(const VirtioSerialAddress&) const = default;
};

/// A slot of a USB smart card reader.
struct CcidAddress {
    uint32_t controller{};
    uint32_t slot{};
    bool operator==(const CcidAddress&) const = default;
};

struct IsaAddress {
    std::optional<uint32_t> iobase;
    std::optional<uint32_t> irq;
    bool operator==(const IsaAddress&) const = default;
};

/// A memory slot; `base` is the guest-physical address.
struct DimmAddress {
    std::optional<uint32_t> slot;
    std::optional<uint64_t> base;
    bool operator==(const DimmAddress&) const = default;
};

/// `<address type='virtio-mmio'/>`.
struct VirtioMmioAddress {
    bool operator==(const VirtioMmioAddress&) const = default;
};

/// `<address type='unassigned'/>`: a host device that is reserved and not given to the guest.
struct UnassignedAddress {
    bool operator==(const UnassignedAddress&) const = default;
};

/// `std::monostate`: no address in the document; after `assign_addresses` only devices that have
/// none (a serial port on the ISA bus) are left so.
using Address = std::variant<std::monostate,
                             PciAddress,
                             DriveAddress,
                             UsbAddress,
                             VirtioSerialAddress,
                             CcidAddress,
                             IsaAddress,
                             DimmAddress,
                             VirtioMmioAddress,
                             UnassignedAddress>;

} // namespace vireo::qemu
