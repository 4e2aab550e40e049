// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

Plan plan_crypto(const PlanContext& context, const CryptoDef& crypto) {
    const std::string& alias = alias_of(crypto.info);
    const std::string type = fmt::format("cryptodev-backend-{}", name_of(crypto.backend));
    require_type(context, type, "crypto backend");
    json object = json::object();
    object["qom-type"] = type;
    object["id"] = "obj" + alias;
    if (crypto.queues) {
        object["queues"] = *crypto.queues;
    }
    json device = json::object();
    device["driver"] = virtio_device("virtio-crypto", crypto.info, VirtioModel::virtio);
    add_virtio_options(device, crypto.virtio);
    device["cryptodev"] = "obj" + alias;
    device["id"] = alias;
    add_address(context, device, crypto.info);
    return {object_step(std::move(object)), device_step(std::move(device))};
}

} // namespace vireo::qemu
