// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/model/volume_def.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// qemu-img's arguments, without its name.
namespace vireo::storage {

/// Creates an image for `volume` in the file `path`. `preallocate` asks for the tables of a qcow2
/// image at once. A raw volume whose allocation is its capacity gets all of its space.
/// Throws config_unsupported where the volume wants what its format does not have.
std::vector<std::string>
create_image_arguments(const VolumeDef& volume, const std::string& path, bool preallocate);

/// Gives the image at `path` a capacity of `bytes`. `allocate` makes new space real at once,
/// `shrink` lets qemu-img cut data off.
std::vector<std::string> resize_image_arguments(
    VolumeFormat format, const std::string& path, uint64_t bytes, bool allocate, bool shrink);

} // namespace vireo::storage
