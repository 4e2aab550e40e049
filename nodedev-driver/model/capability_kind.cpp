// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/model/capability_kind.hpp"

#include "libshared/error.hpp"

#include <algorithm>

namespace vireo::nodedev {

namespace {

constexpr uint32_t all_kinds = (1U << capability_kinds.size()) - 1;

uint32_t flags_of(const NodeDevice& device) {
    uint32_t flags = 0;
    for (const std::string_view name : capability_names(device)) {
        const auto* kind = std::ranges::find(capability_kinds, name, &CapabilityKind::name);
        flags |= kind == capability_kinds.end() ? 0 : kind->list_flag;
    }
    return flags;
}

} // namespace

std::string_view capability_name(const NodeDevice& device) {
    return xml::name_of(static_cast<CapabilityType>(device.capability.index()));
}

std::vector<std::string_view> capability_names(const NodeDevice& device) {
    std::vector<std::string_view> names{capability_name(device)};
    const auto add = [&names](bool there, std::string_view name) {
        if (there) {
            names.push_back(name);
        }
    };
    if (const auto* host = std::get_if<ScsiHostCapability>(&device.capability)) {
        add(host->fc_host.has_value(), "fc_host");
        add(host->vport_ops.has_value(), "vports");
    } else if (const auto* pci = std::get_if<PciCapability>(&device.capability)) {
        add(pci->mdev_types.has_value(), "mdev_types");
        add(pci->vpd.has_value(), "vpd");
    } else if (const auto* css = std::get_if<CssCapability>(&device.capability)) {
        add(css->mdev_types.has_value(), "mdev_types");
    } else if (const auto* matrix = std::get_if<ApMatrixCapability>(&device.capability)) {
        add(matrix->mdev_types.has_value(), "mdev_types");
    } else if (const auto* storage = std::get_if<StorageCapability>(&device.capability)) {
        add(storage->nvme_namespace.has_value(), "nvme_namespace");
    }
    return names;
}

void check_list_flags(uint32_t flags) {
    const uint32_t unknown = flags & ~(all_kinds | list_inactive | list_active);
    if (unknown != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags (0x{:x}) in ListNodeDevices", unknown);
    }
}

bool listed(const NodeDevice& device, uint32_t flags) {
    const uint32_t kinds = flags & all_kinds;
    const uint32_t presence = flags & (list_inactive | list_active);
    return (kinds == 0 || (kinds & flags_of(device)) != 0) && presence != list_inactive;
}

} // namespace vireo::nodedev
