// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/probe/pci_config.hpp"

#include <array>

namespace vireo::nodedev {

namespace {

constexpr size_t status_offset = 0x06;
constexpr uint32_t status_has_capabilities = 0x10;
constexpr size_t header_type_offset = 0x0e;
constexpr size_t capabilities_offset = 0x34;
constexpr size_t cardbus_capabilities_offset = 0x14;
constexpr uint32_t capability_pcie = 0x10;
/// Capabilities lie behind the header and are at least four bytes: no list is longer.
constexpr int max_capabilities = (256 - 64) / 4;

uint32_t read(std::string_view config, size_t offset, size_t size) {
    uint32_t value = 0;
    for (size_t i = 0; i < size && offset + i < config.size(); ++i) {
        value |= static_cast<uint32_t>(static_cast<unsigned char>(config[offset + i])) << (8 * i);
    }
    return value;
}

std::optional<PciBridge> bridge_of(uint32_t header_type) {
    switch (header_type) {
    case 1:
        return PciBridge::pci;
    case 2:
        return PciBridge::cardbus;
    default:
        return std::nullopt;
    }
}

std::string speed_of(uint32_t code) {
    constexpr std::array speeds{"", "2.5", "5", "8", "16", "32", "64"};
    return code < speeds.size() ? speeds.at(code) : "";
}

PcieLink link_of(uint32_t link_register) {
    return PcieLink{.port = std::nullopt,
                    .speed = speed_of(link_register & 0xf),
                    .width = (link_register >> 4) & 0x3f};
}

PcieInfo pcie_at(std::string_view config, size_t offset) {
    PcieInfo info;
    const uint32_t kind = (read(config, offset + 2, 2) >> 4) & 0xf;
    constexpr uint32_t integrated_endpoint = 9;
    constexpr uint32_t event_collector = 10;
    if (kind == integrated_endpoint || kind == event_collector) {
        return info;
    }
    const uint32_t link_capabilities = read(config, offset + 0x0c, 4);
    info.capability = link_of(link_capabilities);
    info.capability->port = link_capabilities >> 24;
    info.status = link_of(read(config, offset + 0x12, 2));
    return info;
}

} // namespace

PciConfig parse_pci_config(std::string_view config) {
    PciConfig result;
    if (config.size() <= capabilities_offset) {
        return result;
    }
    const uint32_t header_type = read(config, header_type_offset, 1) & 0x7f;
    result.bridge = bridge_of(header_type);
    if ((read(config, status_offset, 2) & status_has_capabilities) == 0) {
        return result;
    }
    const bool cardbus = result.bridge == PciBridge::cardbus;
    size_t offset = read(config, cardbus ? cardbus_capabilities_offset : capabilities_offset, 1);
    for (int i = 0; i < max_capabilities; ++i) {
        offset &= ~size_t{3};
        if (offset < 0x40 || offset + 0x14 > config.size()) {
            break;
        }
        if (read(config, offset, 1) == capability_pcie) {
            result.pcie = pcie_at(config, offset);
            break;
        }
        offset = read(config, offset + 1, 1);
    }
    return result;
}

} // namespace vireo::nodedev
