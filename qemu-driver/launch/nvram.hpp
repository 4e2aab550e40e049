// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <string>

namespace vireo::qemu {

/// The file that holds a guest's UEFI variables; empty where it has none.
std::string nvram_path(const DomainDef& def);

/// Makes that file from its template where it does not exist yet, off the loop; it is there whole
/// or not at all. Throws system_error naming the file, operation_failed where no template is named.
Task<void> prepare_nvram(Loop& loop, std::shared_ptr<const DomainDef> def);

} // namespace vireo::qemu
