// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <string>

namespace vireo::qemu::actions {

/// The folder in which a domain's TPM keeps its keys; empty where it has none.
std::string tpm_state(const Driver& driver, const Domain& domain);

/// `<backend type='emulator' persistent_state='yes'>`: it outlives the definition.
bool keeps_tpm_state(const DomainDef& def);

/// Removes such a folder, off the loop.
Task<void> remove_tpm_state(Driver& driver, std::string folder);

} // namespace vireo::qemu::actions
