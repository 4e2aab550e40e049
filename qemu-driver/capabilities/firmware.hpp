// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/host_facts.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

/// The folders of firmware descriptors, the one that wins first: the user's own (session only, when
/// `config_home` is not empty), the administrator's, the distribution's.
std::vector<std::filesystem::path> firmware_dirs(const std::filesystem::path& config_home);

/// Reads one descriptor. Throws config_unsupported when it is not what QEMU's
/// docs/interop/firmware.json says, naming `file`.
FirmwareFacts parse_firmware(std::string_view text, const std::string& file);

/// All descriptors of the folders, in the order of their file names. A file hides those of the same
/// name in later folders; an empty one hides and describes nothing. A file that cannot be
/// read or understood is left out and its message added to `problems`.
std::vector<FirmwareFacts> read_firmware(std::span<const std::filesystem::path> dirs,
                                         std::vector<std::string>& problems);

} // namespace vireo::qemu
