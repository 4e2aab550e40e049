// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/address.hpp"

/// What every device can carry: address, alias, boot order, option ROM, ACPI index.
namespace vireo::qemu {

/// `<address type='pci' …/>` where only PCI can be.
enum class PciAddressKind { pci };

/// `<rom enabled= bar= file=/>` of a PCI device.
struct RomDef {
    std::optional<YesNo> enabled;
    std::optional<OnOff> bar;
    std::optional<std::string> file;
    bool operator==(const RomDef&) const = default;
};

/// `<boot order= loadparm=/>` of a device.
struct DeviceBoot {
    uint32_t order{};
    std::optional<std::string> loadparm;
    bool operator==(const DeviceBoot&) const = default;
};

struct DeviceInfo {
    Address address;
    /// Name of the device in QEMU; the user's own (`ua-…`) or from `assign_aliases`.
    std::optional<std::string> alias;
    std::optional<DeviceBoot> boot;
    std::optional<RomDef> rom;
    /// `<acpi index=/>`: makes the guest name its network interface by it.
    std::optional<uint32_t> acpi_index;
    /// Line of the device's element in the document, 0 if it came from elsewhere. For messages.
    xml::Where where;

    const PciAddress* pci() const { return std::get_if<PciAddress>(&address); }

    const DriveAddress* drive() const { return std::get_if<DriveAddress>(&address); }

    const UsbAddress* usb() const { return std::get_if<UsbAddress>(&address); }

    const VirtioSerialAddress* virtio_serial() const {
        return std::get_if<VirtioSerialAddress>(&address);
    }
};

/// `<driver iommu= ats= packed= page_per_vq=/>` of a virtio device.
struct VirtioOptions {
    std::optional<OnOff> iommu;
    std::optional<OnOff> ats;
    std::optional<OnOff> packed;
    std::optional<OnOff> page_per_vq;
    bool operator==(const VirtioOptions&) const = default;
};

const xml::Type& describe(const PciAddress*);
const xml::Type& describe(const DeviceInfo*);
const xml::Type& describe(const VirtioOptions*);

/// Which virtio revision a device speaks (`model='virtio-transitional'`).
enum class VirtioModel { virtio, virtio_transitional, virtio_non_transitional };

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::VirtioModel> {
    static constexpr std::array<std::string_view, 3> names{
        "virtio", "virtio-transitional", "virtio-non-transitional"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::PciAddressKind> {
    static constexpr std::array<std::string_view, 1> names{"pci"};
};
