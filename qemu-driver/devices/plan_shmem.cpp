// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const ShmemDef& shmem, std::string_view what) {
    throw Error(ErrorCode::config_unsupported, "shmem '{}': {}", shmem.name, what);
}

Plan plan_plain(const PlanContext&, const ShmemDef& shmem, json& device) {
    if (shmem.server || shmem.msi) {
        refuse(shmem, "model 'ivshmem-plain' has neither <server> nor <msi>");
    }
    constexpr uint64_t default_mib = 4, bytes_per_mib = 1024 * 1024;
    const std::string id = "shmmem-" + alias_of(shmem.info);
    json memory = json::object();
    memory["qom-type"] = "memory-backend-file";
    memory["id"] = id;
    memory["mem-path"] = "/dev/shm/" + shmem.name;
    memory["size"] = shmem.size_mib.value_or(default_mib) * bytes_per_mib;
    memory["share"] = true;
    device["memdev"] = id;
    if (shmem.role) {
        device["master"] = *shmem.role == ShmemRole::master ? "on" : "off";
    }
    return {object_step(std::move(memory))};
}

Plan plan_doorbell(const PlanContext& context, const ShmemDef& shmem, json& device) {
    if (shmem.size_mib) {
        refuse(shmem, "model 'ivshmem-doorbell' gets its <size> from the server");
    }
    const std::string alias = alias_of(shmem.info);
    const std::string path = shmem.server && shmem.server->path
                                 ? *shmem.server->path
                                 : fmt::format("/var/lib/libvirt/shmem-{}-sock", shmem.name);
    Plan plan = plan_chardev(context, socket_client(path), alias);
    device["chardev"] = "char" + alias;
    if (shmem.msi) {
        if (shmem.msi->vectors) {
            device["vectors"] = *shmem.msi->vectors;
        }
        set_on_off(device, "ioeventfd", shmem.msi->ioeventfd);
    }
    return plan;
}

} // namespace

Plan plan_shmem(const PlanContext& context, const ShmemDef& shmem) {
    const auto model = shmem.model.value_or(ShmemModel::ivshmem);
    require_type(context, name_of(model), fmt::format("shmem '{}'", shmem.name));
    json device = json::object();
    device["driver"] = name_of(model);
    device["id"] = alias_of(shmem.info);
    Plan plan;
    switch (model) {
    case ShmemModel::ivshmem_plain:
        plan = plan_plain(context, shmem, device);
        break;
    case ShmemModel::ivshmem_doorbell:
        plan = plan_doorbell(context, shmem, device);
        break;
    case ShmemModel::ivshmem:
        refuse(shmem, "model 'ivshmem' is gone from QEMU, use 'ivshmem-plain' or '-doorbell'");
    }
    add_address(context, device, shmem.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
