// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vireo::qemu {

/// `/org/vireo/domain/_UUID/memory/ALIAS`.
std::string memory_device_path(const Domain& domain, std::string_view alias);

/// The path of its domain and the alias; nothing for any other path.
struct MemoryDevicePath {
    std::string_view domain;
    std::string alias;
};

std::optional<MemoryDevicePath> parse_memory_device_path(std::string_view path);

} // namespace vireo::qemu
