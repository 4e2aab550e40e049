// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/domain_def.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::qemu {

/// What statistics say of a definition. Kept in memory for every stopped domain, so that nobody
/// has to read its document for them.
struct DomainSummary {
    /// One image of a disk; those that it is based on follow it.
    struct Image {
        std::string target;
        std::string path; // empty: no medium, or none of this host's
        bool backing = false;

        friend bool operator==(const Image&, const Image&) = default;
    };

    std::uint64_t memory_kib = 0;
    std::uint64_t current_memory_kib = 0;
    std::uint32_t vcpus = 0;
    std::uint32_t current_vcpus = 0;
    std::vector<Image> images;
    /// Where the firmware keeps the guest's variables; empty: nowhere.
    std::string nvram;

    friend bool operator==(const DomainSummary&, const DomainSummary&) = default;
};

DomainSummary summary_of(const DomainDef& def);

/// The file or block device of this host that holds an image; absent where there is none.
std::optional<std::string> local_path(const DiskImage& image);

} // namespace vireo::qemu
