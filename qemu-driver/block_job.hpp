// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

namespace vireo::qemu {

/// virDomainBlockJobType, as far as there are such jobs here.
enum class BlockJobType : std::int32_t {
    none = 0,
    pull = 1,
    copy = 2,
    commit = 3,
    active_commit = 4
};

/// virConnectDomainEventBlockJobStatus.
enum class BlockJobStatus : std::int32_t { completed = 0, failed = 1, cancelled = 2, ready = 3 };

/// A block job of a running guest, from before QEMU has it until its end is in the live document.
struct BlockJob {
    std::string id;   // QEMU's: `copy-vda-7`
    std::string disk; // the target of its disk
    BlockJobType type{};
    /// Numbers of the images that a commit goes from and to; of a copy: of its destination.
    std::uint32_t top = 0;
    std::uint32_t base = 0;
    bool delete_images = false; // those that a commit makes superfluous
    bool pivot_wanted = false;  // its client has asked for the pivot, or for
    bool abort_wanted = false;  // its end

    friend bool operator==(const BlockJob&, const BlockJob&) = default;
};

} // namespace vireo::qemu
