// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/plan_context.hpp"

namespace vireo::qemu {

/// Empty for a device that is only kept from the host (address type 'unassigned').
Plan plan_hostdev(const PlanContext& context, const HostdevDef& hostdev);

/// A function of the host's PCI, for a `<hostdev>` or an `<interface type='hostdev'>`.
Plan plan_pci_function(const PlanContext& context,
                       const PciAddress& function,
                       const std::optional<TeamingDef>& teaming,
                       const DeviceInfo& info);

/// A device behind a SCSI adapter of the host, or an iSCSI LUN.
Plan plan_scsi_hostdev(const PlanContext& context,
                       const HostdevDef& hostdev,
                       const ScsiHostdev& scsi);

} // namespace vireo::qemu
