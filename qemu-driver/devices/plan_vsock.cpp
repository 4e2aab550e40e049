// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

namespace vireo::qemu {

using nlohmann::json;

Plan plan_vsock(const PlanContext& context, const VsockDef& vsock) {
    require_type(context, "vhost-vsock-device", "vsock");
    if (!vsock.cid) {
        throw Error(ErrorCode::internal, "vsock: no context id has been chosen yet");
    }
    const std::string& alias = alias_of(vsock.info);
    json device = json::object();
    device["driver"] =
        virtio_device("vhost-vsock", vsock.info, vsock.model.value_or(VirtioModel::virtio));
    add_virtio_options(device, vsock.virtio);
    device["id"] = alias;
    device["guest-cid"] = *vsock.cid;
    Descriptor descriptor;
    descriptor.kind = DescriptorKind::vhost_vsock;
    descriptor.path = "/dev/vhost-vsock";
    descriptor.owner = alias;
    descriptor.index = *vsock.cid;
    device["vhostfd"] = context.descriptors.pass(std::move(descriptor));
    add_address(context, device, vsock.info);
    return {device_step(std::move(device))};
}

} // namespace vireo::qemu
