// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/devices/resolve_volume.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <string_view>

/// Volumes of storage pools, which storaged keeps, as images of guests' disks.
namespace vireo::qemu {

/// What a pool's document says of where its volumes are; what is of one volume is not filled in.
VolumeFacts facts_of_pool(std::string_view xml);

/// Puts what volumes stand for in the place of those that disks name. storaged is asked where there
/// are any; throws with the disk's line what it says, and config_unsupported where a pool is not
/// active or QEMU cannot open such a volume.
Task<void> find_volumes(Host& host, std::shared_ptr<DomainDef> live);

} // namespace vireo::qemu
