// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

namespace vireo::qemu {

enum class IommuModel { intel, smmuv3, virtio };

/// `<iommu>`.
struct IommuDef {
    IommuModel model{};
    std::optional<OnOff> intremap;
    std::optional<OnOff> caching_mode;
    std::optional<OnOff> eim;
    std::optional<OnOff> iotlb;
    std::optional<uint32_t> aw_bits;
    DeviceInfo info;
};

const xml::Type& describe(const IommuDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::IommuModel> {
    static constexpr std::array<std::string_view, 3> names{"intel", "smmuv3", "virtio"};
};
