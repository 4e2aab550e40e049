// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/xml/enum_names.hpp"
#include "nodedev-driver/model/mediated_capability.hpp"
#include "nodedev-driver/model/vital_product_data.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// A PCI function's place on the host.
struct PciAddress {
    uint32_t domain{};
    uint32_t bus{};
    uint32_t slot{};
    uint32_t function{};

    auto operator<=>(const PciAddress&) const = default;
};

/// The address of the function itself, which its document has as four elements.
struct PciPlace : PciAddress {};

/// A vendor's or product's number with its name from the hardware database, where that knows it.
struct NamedId {
    uint32_t id{};
    std::string name;

    bool operator==(const NamedId&) const = default;
};

/// All functions that the IOMMU cannot keep apart: a guest gets all of them or none.
struct IommuGroup {
    uint32_t number{};
    std::vector<PciAddress> members;

    bool operator==(const IommuGroup&) const = default;
};

/// SR-IOV: the function that a virtual function belongs to.
struct PhysicalFunction {
    Word<"phys_function"> type{};
    PciAddress address;

    bool operator==(const PhysicalFunction&) const = default;
};

/// SR-IOV: the virtual functions that exist now, and how many there can be; 0 is not known.
struct VirtualFunctions {
    Word<"virt_functions"> type{};
    uint32_t max_count{};
    std::vector<PciAddress> addresses;

    bool operator==(const VirtualFunctions&) const = default;
};

/// What a PCIe link can do, or has negotiated. `speed` is in GT/s per lane as libvirt writes it
/// (`2.5`, `8`); empty where the link is down or the number is not known.
struct PcieLink {
    std::optional<uint32_t> port;
    std::string speed;
    uint32_t width{};

    bool operator==(const PcieLink&) const = default;
};

/// `<pci-express>`: links are absent on functions integrated in the root complex.
struct PcieInfo {
    std::optional<PcieLink> capability;
    std::optional<PcieLink> status;

    bool operator==(const PcieInfo&) const = default;
};

/// The header types that are not a plain function's.
enum class PciBridge { pci, cardbus };

struct PciHeader {
    PciBridge type{};

    bool operator==(const PciHeader&) const = default;
};

struct PciCapability {
    std::optional<uint32_t> class_code;
    PciPlace place;
    NamedId product;
    NamedId vendor;
    std::optional<PhysicalFunction> physical_function;
    std::optional<VirtualFunctions> virtual_functions;
    std::optional<PciHeader> header;
    std::optional<MdevTypes> mdev_types;
    std::optional<VitalProductData> vpd;
    std::optional<IommuGroup> iommu_group;
    std::optional<uint32_t> numa_node;
    std::optional<PcieInfo> pcie;

    bool operator==(const PciCapability&) const = default;
};

} // namespace vireo::nodedev

template <>
struct vireo::xml::EnumNames<vireo::nodedev::PciBridge> {
    static constexpr std::array<std::string_view, 2> names{"pci-bridge", "cardbus-bridge"};
};
