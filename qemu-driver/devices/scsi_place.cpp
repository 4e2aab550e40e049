// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/scsi_place.hpp"

namespace vireo::qemu {

namespace {

/// True for the controllers whose LUNs have a channel, a target and a unit each; the others know a
/// target only.
bool has_full_scsi_address(const DomainDef& def, uint32_t index) {
    for (const ControllerDef& controller : def.devices.controllers) {
        if (controller.type != ControllerType::scsi || controller.index != index) {
            continue;
        }
        switch (controller.model_as<ScsiModel>().value_or(ScsiModel::lsilogic)) {
        case ScsiModel::lsilogic:
        case ScsiModel::ncr53c90:
        case ScsiModel::dc390:
        case ScsiModel::am53c974:
            return false;
        default:
            return true;
        }
    }
    return true;
}

} // namespace

void add_scsi_place(const PlanContext& context,
                    const DriveAddress& at,
                    std::string_view user,
                    nlohmann::json& device) {
    device["bus"] = controller_alias(context.def, ControllerType::scsi, at.controller, user) + ".0";
    if (has_full_scsi_address(context.def, at.controller)) {
        device["channel"] = at.bus;
        device["scsi-id"] = at.target;
        device["lun"] = at.unit;
    } else {
        device["scsi-id"] = at.unit;
    }
}

} // namespace vireo::qemu
