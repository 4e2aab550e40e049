// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace vireo::qemu {

inline constexpr const char* snapshot_folder = "/org/libvirt/QEMU/domainsnapshot";

/// `/org/libvirt/QEMU/domainsnapshot/_UUID_NAME`, the name encoded.
std::string snapshot_path(const Domain& domain, std::string_view name);

struct SnapshotPath {
    std::string uuid;
    std::string name;
};

/// What such a path is made of; nothing for another one.
std::optional<SnapshotPath> parse_snapshot_path(std::string_view path);

} // namespace vireo::qemu
