// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <nlohmann/json.hpp>

namespace vireo::qemu {

/// Resolves the volumes among the guest's disks by the pools that the environment describes.
void resolve_volumes(const nlohmann::json& environment, DomainDef& def);

} // namespace vireo::qemu
