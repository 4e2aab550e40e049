// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/model/volume_def.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vireo::storage {

/// What an image's first bytes say of it.
struct ImageHeader {
    VolumeFormat format = VolumeFormat::raw;
    /// Bytes that a guest sees; none for raw, where the file's size says it.
    std::optional<uint64_t> capacity;
    std::optional<std::string> backing_path;
    std::optional<VolumeFormat> backing_format;
    std::optional<std::string> compat;
    std::optional<uint64_t> cluster_size;
    VolumeFeatures features;
    bool encrypted = false;
};

/// How many bytes of an image parse_image_header wants to see.
inline constexpr size_t image_header_size = 64 * 1024;

/// Recognizes a format by its magic number; anything else is raw, and so is an image whose header
/// makes no sense. A guest can write any header into its raw disk: what is found here is for
/// showing, never for choosing how to open an image for a guest.
/// Sources: QEMU's docs/interop/qcow2.txt, vmdk and vhd specifications, block/*.c.
ImageHeader parse_image_header(std::string_view bytes);

} // namespace vireo::storage
