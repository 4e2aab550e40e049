// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// Puts a disk or a device of the host on its SCSI controller, as that controller's model counts.
void add_scsi_place(const PlanContext& context,
                    const DriveAddress& at,
                    std::string_view user,
                    nlohmann::json& device);

} // namespace vireo::qemu
