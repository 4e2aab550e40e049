// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/directories.hpp"
#include "qemu-driver/devices/launch.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>
#include <string>

namespace vireo::qemu {

/// What the command line of the guest number `id`, which is to be `live`, needs to know of this
/// host, its time, and the
/// guest's own folders. `folder` is the one of its status.
LaunchFacts launch_facts_of(const Directories& directories,
                            std::string folder,
                            std::uint32_t id,
                            const DomainDef& live);

} // namespace vireo::qemu
