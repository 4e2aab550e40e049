// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

namespace vireo::qemu {

/// Throws config_unsupported for what a definition asks of the host and not of QEMU, and that
/// nothing in the daemon sets up yet: its command line alone would not keep the promise.
void refuse_missing_host_setup(const DomainDef& def);

} // namespace vireo::qemu
