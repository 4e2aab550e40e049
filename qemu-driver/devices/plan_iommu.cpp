// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

json intel_iommu(const IommuDef& iommu) {
    json device = json::object();
    device["driver"] = "intel-iommu";
    device["id"] = alias_of(iommu.info);
    // QEMU's properties of type OnOffAuto take words, the others booleans.
    if (iommu.intremap) {
        device["intremap"] = name_of(*iommu.intremap);
    }
    set_on_off(device, "caching-mode", iommu.caching_mode);
    if (iommu.eim) {
        device["eim"] = name_of(*iommu.eim);
    }
    set_on_off(device, "device-iotlb", iommu.iotlb);
    if (iommu.aw_bits) {
        device["aw-bits"] = *iommu.aw_bits;
    }
    return device;
}

} // namespace

Plan plan_iommu(const PlanContext& context, const IommuDef& iommu) {
    json device = json::object();
    switch (iommu.model) {
    case IommuModel::intel:
        device = intel_iommu(iommu);
        break;
    case IommuModel::virtio:
        device["driver"] = "virtio-iommu";
        device["id"] = alias_of(iommu.info);
        add_address(context, device, iommu.info);
        break;
    case IommuModel::smmuv3:
        throw Error(ErrorCode::config_unsupported, "iommu model 'smmuv3' is for ARM guests");
    }
    const bool virtio = iommu.model == IommuModel::virtio;
    require_type(context, virtio ? "virtio-iommu-pci" : "intel-iommu", "iommu");
    return {device_step(std::move(device))};
}

} // namespace vireo::qemu
