// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "nodedev-driver/model/node_device.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace vireo::nodedev {

/// A kind of capability: the word in XML and ListCaps, and its bit in ListNodeDevices' flags.
/// Source: virConnectListAllNodeDeviceFlags in libvirt's public header libvirt-nodedev.h.
struct CapabilityKind {
    std::string_view name;
    uint32_t list_flag;
};

/// In the order of libvirt's bits: bit N is row N.
inline constexpr std::array<CapabilityKind, 22> capability_kinds{{
    {"system", 1U << 0},      {"pci", 1U << 1},         {"usb_device", 1U << 2},
    {"usb", 1U << 3},         {"net", 1U << 4},         {"scsi_host", 1U << 5},
    {"scsi_target", 1U << 6}, {"scsi", 1U << 7},        {"storage", 1U << 8},
    {"fc_host", 1U << 9},     {"vports", 1U << 10},     {"scsi_generic", 1U << 11},
    {"drm", 1U << 12},        {"mdev_types", 1U << 13}, {"mdev", 1U << 14},
    {"ccw", 1U << 15},        {"css", 1U << 16},        {"vdpa", 1U << 17},
    {"ap_card", 1U << 18},    {"ap_queue", 1U << 19},   {"ap_matrix", 1U << 20},
    {"vpd", 1U << 21},
}};

/// The other group of ListNodeDevices' flags: is the device there, or only defined (mdev)?
inline constexpr uint32_t list_inactive = 1U << 30;
inline constexpr uint32_t list_active = 1U << 31;

/// Word of the main capability: `pci`, `storage` ...
std::string_view capability_name(const NodeDevice& device);
/// All capabilities of the device, the main one first, as ListCaps gives them.
std::vector<std::string_view> capability_names(const NodeDevice& device);
/// Is the device in the list that `flags` ask for? Flags of one group are alternatives, none of a
/// group means all.
bool listed(const NodeDevice& device, uint32_t flags);
/// Throws invalid_arg for bits that are no flag of ListNodeDevices.
void check_list_flags(uint32_t flags);

} // namespace vireo::nodedev
