// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <nlohmann/json.hpp>

namespace vireo::qemu::actions {

/// Makes the disk that `wanted` means in `def` what `wanted` says: a drive of the definition may be
/// anything at the next start. What `wanted` leaves out (address, alias) stays.
void replace_disk(DomainDef& def, const DiskDef& wanted);

/// Changes the medium of a running guest's CD-ROM or floppy drive, or takes it out where `wanted`
/// has none; in the domain's turn. `force` opens a tray that the guest has locked; otherwise the
/// guest is asked for it and has 10 s. Throws operation_unsupported for any other change, what QEMU
/// refuses otherwise; the drive has its former medium then.
Task<void> change_medium(Driver& driver, DomainPtr domain, DiskDef wanted, bool force);

/// QEMU's event: the tray of a drive has moved.
void take_tray(Driver& driver, const DomainPtr& domain, const nlohmann::json& data);

} // namespace vireo::qemu::actions
