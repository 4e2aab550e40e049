// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"

namespace vireo::tool {

/// What the named CPU models have by libvirt's CPU map, for a host that a file describes: a
/// recorded conversation with QEMU does not ask for them. On this host QEMU is asked.
qemu::CpuModels recorded_cpu_models();

} // namespace vireo::tool
