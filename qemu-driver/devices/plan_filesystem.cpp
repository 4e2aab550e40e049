// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(const FilesystemDef& filesystem, std::string_view what) {
    throw Error(ErrorCode::config_unsupported,
                "filesystem '{}': {} is not supported",
                filesystem.target_dir,
                what);
}

const char* security_model(FilesystemAccess access) {
    switch (access) {
    case FilesystemAccess::passthrough:
        return "passthrough";
    case FilesystemAccess::mapped:
        return "mapped";
    case FilesystemAccess::squash:
        break;
    }
    return "none";
}

/// The folder's side: 9P inside QEMU. It has no counterpart in QMP.
Step fsdev_step(const FilesystemDef& filesystem, const std::string& id) {
    OptionText text("local");
    text.add("security_model",
             security_model(filesystem.access_mode.value_or(FilesystemAccess::passthrough)));
    if (filesystem.multidevs.value_or(FilesystemMultidevs::default_) !=
        FilesystemMultidevs::default_) {
        text.add("multidevs", name_of(*filesystem.multidevs));
    }
    if (filesystem.fmode) {
        text.add("fmode", fmt::format("{:04o}", *filesystem.fmode));
    }
    if (filesystem.dmode) {
        text.add("dmode", fmt::format("{:04o}", *filesystem.dmode));
    }
    if (filesystem.write_policy == FilesystemWritePolicy::immediate) {
        text.add("writeout", "immediate");
    }
    text.add("id", id).add("path", filesystem.source_dir.value_or(""));
    if (filesystem.readonly) {
        text.on_off("readonly", true);
    }
    return option_step("-fsdev", text.take());
}

Plan plan_9p(const PlanContext& context, const FilesystemDef& filesystem) {
    const std::string& alias = alias_of(filesystem.info);
    require_type(context, "virtio-9p-device", fmt::format("filesystem '{}'", alias));
    const std::string id = "fsdev-" + alias;
    json device = json::object();
    device["driver"] =
        virtio_device("virtio-9p", filesystem.info, filesystem.model.value_or(VirtioModel::virtio));
    add_virtio_options(device, filesystem.virtio);
    device["id"] = alias;
    device["fsdev"] = id;
    device["mount_tag"] = filesystem.target_dir;
    add_address(context, device, filesystem.info);
    return {fsdev_step(filesystem, id), device_step(std::move(device))};
}

/// A daemon outside serves the folder.
Plan plan_virtiofs(const PlanContext& context, const FilesystemDef& filesystem) {
    const std::string& alias = alias_of(filesystem.info);
    require_type(context, "vhost-user-fs-device", fmt::format("filesystem '{}'", alias));
    if (filesystem.readonly) {
        refuse(filesystem, "<readonly/> with virtiofs");
    }
    const std::string socket = filesystem.source_socket.value_or(
        fmt::format("{}/{}-fs.sock", context.facts.private_dir, alias));
    const ChardevNames names{"chr-vu-" + alias, alias, {}};
    Plan plan = plan_chardev(context, socket_client(socket), names);
    json device = json::object();
    device["driver"] = virtio_device(
        "vhost-user-fs", filesystem.info, filesystem.model.value_or(VirtioModel::virtio));
    device["id"] = alias;
    device["chardev"] = names.id;
    if (filesystem.queue_size) {
        device["queue-size"] = *filesystem.queue_size;
    }
    device["tag"] = filesystem.target_dir;
    add_virtio_options(device, filesystem.virtio);
    add_boot_index(context, device, filesystem.info);
    add_address(context, device, filesystem.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace

Plan plan_filesystem(const PlanContext& context, const FilesystemDef& filesystem) {
    if (filesystem.type != FilesystemType::mount) {
        refuse(filesystem, fmt::format("type '{}'", name_of(filesystem.type)));
    }
    switch (filesystem.driver.value_or(FilesystemDriver::path)) {
    case FilesystemDriver::path:
        return plan_9p(context, filesystem);
    case FilesystemDriver::virtiofs:
        return plan_virtiofs(context, filesystem);
    default:
        refuse(filesystem, fmt::format("driver type '{}'", name_of(*filesystem.driver)));
    }
}

} // namespace vireo::qemu
