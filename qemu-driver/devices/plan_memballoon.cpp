// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

VirtioModel virtio_model(MemballoonModel model) {
    switch (model) {
    case MemballoonModel::virtio_transitional:
        return VirtioModel::virtio_transitional;
    case MemballoonModel::virtio_non_transitional:
        return VirtioModel::virtio_non_transitional;
    default:
        return VirtioModel::virtio;
    }
}

} // namespace

Plan plan_memballoon(const PlanContext& context, const MemballoonDef& balloon) {
    if (balloon.model == MemballoonModel::none) {
        return {};
    }
    if (balloon.model == MemballoonModel::xen) {
        throw Error(ErrorCode::config_unsupported, "memballoon model 'xen' is not supported");
    }
    json device = json::object();
    device["driver"] = virtio_device("virtio-balloon", balloon.info, virtio_model(balloon.model));
    device["id"] = alias_of(balloon.info);
    set_on_off(device, "deflate-on-oom", balloon.autodeflate);
    set_on_off(device, "free-page-reporting", balloon.free_page_reporting);
    add_virtio_options(device, balloon.virtio);
    add_address(context, device, balloon.info);
    Plan plan;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
