// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/actions/describe_device.hpp"

#include "libshared/error.hpp"

namespace vireo::nodedev::actions {

std::string describe_device(Driver& driver, const NodeDevice& device, uint32_t flags) {
    constexpr uint32_t inactive = 1;
    if ((flags & ~inactive) != 0) {
        throw Error(ErrorCode::invalid_arg,
                    "unsupported flags (0x{:x}) in GetXMLDesc of device '{}'",
                    flags & ~inactive,
                    device.name);
    }
    NodeDevice now = device;
    const Sysfs& sysfs = driver.sources.sysfs;
    if (auto* net = std::get_if<NetCapability>(&now.capability); net != nullptr && now.path) {
        net->link = read_net_link(SysDevice(sysfs, *now.path));
    } else if (auto* nvme = std::get_if<NvmeCapability>(&now.capability);
               nvme != nullptr && now.path) {
        nvme->state = read_nvme_state(SysDevice(sysfs, *now.path));
    } else if (auto* disk = std::get_if<StorageCapability>(&now.capability);
               disk != nullptr && disk->nvme_namespace) {
        disk->nvme_namespace->uses = driver.uses(device);
    }
    return format_device(now);
}

} // namespace vireo::nodedev::actions
