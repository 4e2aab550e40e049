// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/guest_devices.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <string>

/// Devices that leave a running guest, whatever their kind, in the domain's turn. All throw
/// operation_invalid where it is not running and what QEMU refuses as it says it.
namespace vireo::qemu::actions {

/// Asks the guest to let the device go and waits 5 s at most for it; DeviceRemoved tells when it
/// has where it takes longer. A virtio-mem device is emptied first, within 60 s. Throws
/// operation_failed where the guest keeps it, operation_unsupported for what this QEMU cannot
/// remove.
Task<void> unplug_device(Driver& driver, DomainPtr domain, std::string alias);

/// QEMU has let go of the device: what stands behind it goes, then it leaves the live document, and
/// the host gets back what it lent. Throws nothing.
Task<void>
finish_unplug(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, std::string alias);

/// Asks QEMU which devices there are and finishes the unplug of those that have gone while nobody
/// looked. Waits as monitor_command() does.
Task<void> refresh_devices(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest);

/// QEMU's events of unplugging.
void take_device_deleted(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);
void take_device_kept(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

/// What has gone from the live document no longer holds anything of the host's.
Task<void>
release_unused(Driver& driver, DomainPtr domain, std::shared_ptr<Guest> guest, Device gone);

} // namespace vireo::qemu::actions
