// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/model/volume_def.hpp"

#include <optional>
#include <string>

namespace vireo::storage {

/// Describes the file, folder or block device at `path` as the volume `name`: sizes, format and
/// backing file from its first bytes, owner, times. Nothing where there is no such thing, or
/// something else: sockets, pipes, character devices. Blocks.
std::optional<VolumeDef> probe_volume_file(const std::string& path, const std::string& name);

} // namespace vireo::storage
