// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

namespace vireo::qemu {

/// Refuses what a document may say and no plan makes yet, so that a guest never starts without
/// something that it was to have. Throws config_unsupported with the element's name, and its line
/// where the element has one.
void refuse_unplanned(const DomainDef& def);

} // namespace vireo::qemu
