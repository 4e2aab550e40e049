// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <string>

namespace vireo::qemu {

/// Makes the file of a guest's UEFI variables from its template where it does not exist yet or is
/// to be as at first, off the loop; it is there whole or not at all. Throws system_error naming the
/// file, operation_failed where no template is named.
Task<void> prepare_nvram(Loop& loop, std::shared_ptr<const DomainDef> def, bool reset);

} // namespace vireo::qemu
