// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/device_info.hpp"

/// `<memballoon>`.
namespace vireo::qemu {

enum class MemballoonModel { virtio, xen, none, virtio_transitional, virtio_non_transitional };

struct MemballoonDef {
    MemballoonModel model{};
    std::optional<OnOff> autodeflate;
    std::optional<OnOff> free_page_reporting;
    /// `<stats period=/>`, seconds.
    std::optional<uint32_t> stats_period_s;
    VirtioOptions virtio;
    DeviceInfo info;
};

const xml::Type& describe(const MemballoonDef*);

} // namespace vireo::qemu

template <>
struct vireo::xml::EnumNames<vireo::qemu::MemballoonModel> {
    static constexpr std::array<std::string_view, 5> names{
        "virtio", "xen", "none", "virtio-transitional", "virtio-non-transitional"};
};
