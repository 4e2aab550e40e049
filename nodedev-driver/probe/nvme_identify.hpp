// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/sysfs.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::nodedev {

/// What a namespace says of itself, and sysfs only from kernel 6.8 on.
struct NamespaceIdentity {
    uint64_t used_blocks{};
    uint32_t lba_size{};
    uint32_t metadata_size{};

    bool operator==(const NamespaceIdentity&) const = default;
};

using IdentifyData = std::array<std::byte, 4096>;

/// Reads the Identify Namespace data structure; nothing where its format makes no sense (a
/// namespace that is not attached is all zeros). Source: NVM Express NVM Command Set
/// Specification 1.0, "I/O Command Set Specific Identify Namespace Data Structure".
std::optional<NamespaceIdentity> parse_identify_namespace(const IdentifyData& data);

/// Reads a list of namespaces that ends with a 0 or with the data. Source: NVM Express Base
/// Specification 2.0, "Active Namespace ID list".
std::vector<uint32_t> parse_namespace_list(const IdentifyData& data);

/// Asks the controller at the node `/dev/nvme0` of this host. Waits for the drive, at most some
/// seconds: for a worker thread. Nothing where the kernel or the drive refuses.
std::optional<NamespaceIdentity> identify_namespace(const std::string& node, uint32_t id);

/// Likewise, the numbers of its first 1024 namespaces; of a drive that is made up `NODE.namespaces`
/// tells. None where the kernel or the drive refuses.
std::vector<uint32_t> active_namespaces(const Sysfs& sysfs, const std::string& node);

} // namespace vireo::nodedev
