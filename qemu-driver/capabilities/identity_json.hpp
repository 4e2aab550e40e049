// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <nlohmann/json.hpp>

/// What the cache files begin with.
namespace vireo::qemu {

// nlohmann finds these by name in the types' namespace.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    BinaryIdentity, path, size, mtime_ns, ctime_ns, kernel, kvm_usable)

} // namespace vireo::qemu
