// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

[[noreturn]] void refuse(std::string_view what) {
    throw Error(ErrorCode::config_unsupported, "video: {} is not supported", what);
}

std::string virtio_gpu(const VideoDef& video, bool primary) {
    if (video.backend == VideoBackend::vhostuser) {
        return primary ? "vhost-user-vga" : "vhost-user-gpu-pci";
    }
    const bool accelerated = video.acceleration && video.acceleration->accel3d == YesNo::yes;
    const char* base = primary ? "virtio-vga" : "virtio-gpu";
    std::string name = accelerated ? fmt::format("{}-gl", base) : base;
    if (!primary) {
        name += "-pci";
    }
    return name;
}

std::string helper_chardev(const VideoDef& video) {
    return "chr-vu-" + alias_of(video.info);
}

/// The connection to a program outside that draws.
Plan plan_helper(const PlanContext& context, const VideoDef& video) {
    if (video.model != VideoModel::virtio) {
        refuse("backend 'vhostuser' with a model that is not virtio");
    }
    Descriptor descriptor;
    descriptor.kind = DescriptorKind::vhost_user_gpu;
    descriptor.owner = alias_of(video.info);
    const std::string fd = context.descriptors.pass(std::move(descriptor));
    OptionText text("socket");
    text.add("id", helper_chardev(video)).add("fd", fd);
    return {option_step("-chardev", text.take())};
}

std::string video_driver(const VideoDef& video, bool primary) {
    const auto model = video.model.value_or(VideoModel::none);
    switch (model) {
    case VideoModel::vga:
        return "VGA";
    case VideoModel::cirrus:
        return "cirrus-vga";
    case VideoModel::vmvga:
        return "vmware-svga";
    case VideoModel::qxl:
        return primary ? "qxl-vga" : "qxl";
    case VideoModel::virtio:
        return virtio_gpu(video, primary);
    case VideoModel::bochs:
        return "bochs-display";
    case VideoModel::ramfb:
        return "ramfb";
    default:
        refuse(fmt::format("model '{}'", name_of(model)));
    }
}

void add_qxl_memory(const VideoDef& video, json& device) {
    if (video.ram_kib) {
        device["ram_size"] = *video.ram_kib * 1024;
    }
    if (video.vram_kib) {
        device["vram_size"] = *video.vram_kib * 1024;
    }
    device["vram64_size_mb"] = video.vram64_kib.value_or(0) / 1024;
    if (video.vgamem_kib) {
        device["vgamem_mb"] = *video.vgamem_kib / 1024;
    }
}

void add_memory(const VideoDef& video, json& device) {
    switch (*video.model) {
    case VideoModel::qxl:
        add_qxl_memory(video, device);
        break;
    case VideoModel::vga:
    case VideoModel::vmvga:
        if (video.vram_kib) {
            device["vgamem_mb"] = *video.vram_kib / 1024;
        }
        break;
    case VideoModel::bochs:
        if (video.vram_kib) {
            device["vgamem"] = *video.vram_kib * 1024;
        }
        break;
    default:
        break;
    }
}

} // namespace

Plan plan_video(const PlanContext& context, const VideoDef& video, bool primary) {
    if (video.model == VideoModel::none) {
        return {};
    }
    Plan plan;
    json device = json::object();
    device["driver"] = video_driver(video, primary);
    if (video.backend == VideoBackend::vhostuser) {
        plan = plan_helper(context, video);
        device["chardev"] = helper_chardev(video);
    }
    require_type(context, device.at("driver").get<std::string>(), "video");
    device["id"] = alias_of(video.info);
    const bool virtio = video.model == VideoModel::virtio;
    if (virtio) {
        add_virtio_options(device, video.virtio);
        set_on_off(device, "blob", video.blob);
    }
    if (video.heads && (virtio || video.model == VideoModel::qxl)) {
        device["max_outputs"] = *video.heads;
    }
    add_memory(video, device);
    if (video.resolution) {
        if (video.model == VideoModel::bochs || virtio || video.model == VideoModel::vga ||
            video.model == VideoModel::qxl) {
            device["xres"] = video.resolution->x;
            device["yres"] = video.resolution->y;
        } else {
            refuse(fmt::format("<resolution> with model '{}'", name_of(*video.model)));
        }
    }
    add_address(context, device, video.info);
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
