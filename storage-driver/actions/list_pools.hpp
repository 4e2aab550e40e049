// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/registry.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace vireo::storage::actions {

/// ListStoragePools. Flags of one group are alternatives, none of a group means all: 1 inactive, 2
/// active; 4 persistent, 8 transient; 16 autostart, 32 not; 64 and following: the types in
/// PoolType's order. Throws invalid_arg for others.
/// Source: virConnectListAllStoragePoolsFlags in libvirt's public libvirt-storage.h.
std::vector<std::shared_ptr<Pool>> list_pools(const Registry& registry, uint32_t flags);

} // namespace vireo::storage::actions
