// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/disk_nodes.hpp"

#include <functional>

namespace vireo::qemu {

/// The disk's images, the lowest first, and its device.
Plan plan_disk(const PlanContext& context, const DiskDef& disk);

/// Gives an image its names in QEMU.
using NameImage = std::function<NodeNames(const DiskImage&)>;

/// The images alone, as for a change of medium.
Plan plan_disk_images(
    const PlanContext& context,
    const DiskDef& disk,
    const NameImage& names = [](const DiskImage& image) { return node_names(image); });

} // namespace vireo::qemu
