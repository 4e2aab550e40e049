// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/mdev_types.hpp"
#include "nodedev-driver/probe/pci_address.hpp"
#include "nodedev-driver/probe/pci_config.hpp"
#include "nodedev-driver/probe/probe.hpp"

#include <fmt/format.h>

namespace vireo::nodedev {

namespace {

std::optional<PciAddress> linked_address(const SysDevice& device, const std::string& link) {
    const auto target = device.sysfs().link_name(fmt::format("{}/{}", device.path(), link));
    return target ? parse_pci_address(*target) : std::nullopt;
}

std::optional<VirtualFunctions> virtual_functions(const SysDevice& device) {
    const auto total = device.number("sriov_totalvfs");
    if (!total || *total <= 0) {
        return std::nullopt;
    }
    VirtualFunctions found;
    found.max_count = static_cast<uint32_t>(*total);
    for (uint32_t i = 0; i < found.max_count; ++i) {
        const auto address = linked_address(device, fmt::format("virtfn{}", i));
        if (!address) {
            break;
        }
        found.addresses.push_back(*address);
    }
    return found;
}

std::optional<IommuGroup> iommu_group(const SysDevice& device) {
    const std::string link = device.path() + "/iommu_group";
    const auto name = device.sysfs().link_name(link);
    const auto number = name ? parse_number(*name, 10) : std::nullopt;
    if (!number) {
        return std::nullopt;
    }
    IommuGroup group{.number = static_cast<uint32_t>(*number), .members = {}};
    for (const std::string& member : device.sysfs().names(link + "/devices")) {
        if (const auto address = parse_pci_address(member)) {
            group.members.push_back(*address);
        }
    }
    return group;
}

} // namespace

std::optional<NodeDevice> probe_pci(const ProbeSources& sources, const SysDevice& device) {
    const auto address = parse_pci_address(device.sysname());
    const auto vendor = device.number("vendor", 16);
    const auto product = device.number("device", 16);
    if (!address || !vendor || !product) {
        return std::nullopt;
    }
    PciCapability pci;
    pci.place = PciPlace{*address};
    if (const auto code = device.number("class", 16)) {
        pci.class_code = static_cast<uint32_t>(*code);
    }
    pci.vendor.id = static_cast<uint32_t>(*vendor);
    pci.product.id = static_cast<uint32_t>(*product);
    const std::string vendor_alias = fmt::format("pci:v{:08X}", pci.vendor.id);
    pci.vendor.name = sources.names(vendor_alias, "ID_VENDOR_FROM_DATABASE");
    pci.product.name = sources.names(fmt::format("{}d{:08X}", vendor_alias, pci.product.id),
                                     "ID_MODEL_FROM_DATABASE");
    if (const auto physical = linked_address(device, "physfn")) {
        pci.physical_function = PhysicalFunction{.address = *physical};
    }
    pci.virtual_functions = virtual_functions(device);
    pci.iommu_group = iommu_group(device);
    if (const auto node = device.number("numa_node"); node && *node >= 0) {
        pci.numa_node = static_cast<uint32_t>(*node);
    }
    const PciConfig config = parse_pci_config(device.sysfs().bytes(device.path() + "/config", 256));
    if (config.bridge) {
        pci.header = PciHeader{*config.bridge};
    }
    pci.pcie = config.pcie;
    pci.mdev_types = read_mdev_types(device);
    if (const auto vpd = sources.vpd.find(device.path()); vpd != sources.vpd.end()) {
        pci.vpd = vpd->second;
    }
    NodeDevice node = base_device(device);
    node.capability = std::move(pci);
    return node;
}

} // namespace vireo::nodedev
