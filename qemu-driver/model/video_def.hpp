// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<video>`.
namespace vireo::qemu {

enum class VideoModel {
    vga,
    cirrus,
    vmvga,
    xen,
    vbox,
    qxl,
    parallels,
    virtio,
    gop,
    none,
    bochs,
    ramfb
};

enum class VideoBackend { qemu, vhostuser };
enum class VgaConf { io, on, off };

struct VideoAcceleration {
    std::optional<YesNo> accel2d;
    std::optional<YesNo> accel3d;
    std::optional<std::string> rendernode;
};

struct VideoResolution {
    uint32_t x{};
    uint32_t y{};
};

struct VideoDef {
    /// Absent only before `fill_defaults`.
    std::optional<VideoModel> model;
    std::optional<uint64_t> vram_kib;
    std::optional<uint64_t> ram_kib;
    std::optional<uint64_t> vram64_kib;
    std::optional<uint64_t> vgamem_kib;
    std::optional<uint32_t> heads;
    std::optional<YesNo> primary;
    std::optional<OnOff> blob;
    std::optional<VideoAcceleration> acceleration;
    std::optional<VideoResolution> resolution;
    std::optional<VgaConf> vgaconf;
    std::optional<VideoBackend> backend;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const VideoDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::VideoModel> {
    static constexpr std::array<std::string_view, 12> names{"vga",
                                                            "cirrus",
                                                            "vmvga",
                                                            "xen",
                                                            "vbox",
                                                            "qxl",
                                                            "parallels",
                                                            "virtio",
                                                            "gop",
                                                            "none",
                                                            "bochs",
                                                            "ramfb"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VideoBackend> {
    static constexpr std::array<std::string_view, 2> names{"qemu", "vhostuser"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::VgaConf> {
    static constexpr std::array<std::string_view, 3> names{"io", "on", "off"};
};
