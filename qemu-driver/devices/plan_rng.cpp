// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

namespace vireo::qemu {

using nlohmann::json;

Plan plan_rng(const PlanContext& context, const RngDef& rng) {
    const std::string& alias = alias_of(rng.info);
    Plan plan;
    json object = json::object();
    object["id"] = "obj" + alias;
    if (const auto* random = std::get_if<RandomBackend>(&rng.backend)) {
        object["qom-type"] = "rng-random";
        object["filename"] = random->path.value_or("/dev/random");
    } else if (const auto* egd = std::get_if<EgdBackend>(&rng.backend)) {
        plan = plan_chardev(context, egd->chardev, alias);
        object["qom-type"] = "rng-egd";
        object["chardev"] = "char" + alias;
    } else {
        object["qom-type"] = "rng-builtin";
    }
    plan.push_back(object_step(std::move(object)));

    json device = json::object();
    device["driver"] = virtio_device("virtio-rng", rng.info, rng.model);
    add_virtio_options(device, rng.virtio);
    device["rng"] = "obj" + alias;
    device["id"] = alias;
    if (rng.rate) {
        device["max-bytes"] = rng.rate->bytes;
        device["period"] = rng.rate->period_ms.value_or(1000);
    }
    add_address(context, device, rng.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
