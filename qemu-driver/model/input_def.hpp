// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<input>`.
namespace vireo::qemu {

enum class InputType { mouse, tablet, keyboard, passthrough, evdev };
enum class InputBus { ps2, usb, xen, parallels, virtio, none };
enum class InputGrab { all };
enum class InputGrabToggle {
    ctrl_ctrl,
    alt_alt,
    shift_shift,
    meta_meta,
    scrolllock,
    ctrl_scrolllock
};

struct InputSource {
    /// Device node of the host: `evdev` for passthrough, `dev` for type='evdev'.
    std::optional<std::string> evdev;
    std::optional<std::string> dev;
    std::optional<InputGrab> grab;
    std::optional<InputGrabToggle> grab_toggle;
    std::optional<OnOff> repeat;
};

struct InputDef {
    InputType type{};
    /// Absent only before `fill_defaults`, and for evdev.
    std::optional<InputBus> bus;
    std::optional<VirtioModel> model;
    std::optional<InputSource> source;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const InputDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::InputType> {
    static constexpr std::array<std::string_view, 5> names{
        "mouse", "tablet", "keyboard", "passthrough", "evdev"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::InputBus> {
    static constexpr std::array<std::string_view, 6> names{
        "ps2", "usb", "xen", "parallels", "virtio", "none"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::InputGrab> {
    static constexpr std::array<std::string_view, 1> names{"all"};
};

template <>
struct vireo::xml::EnumNames<vireo::qemu::InputGrabToggle> {
    static constexpr std::array<std::string_view, 6> names{
        "ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"};
};
