// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/domain_summary.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct stat;

namespace vireo::qemu {

/// What tells that a file is still the one that the index describes.
struct FileMark {
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;

    friend bool operator==(const FileMark&, const FileMark&) = default;
};

FileMark mark_of(const struct stat& status) noexcept;

struct IndexEntry {
    FileMark mark;
    std::string name;
    std::shared_ptr<const DomainSummary> summary; // null: not known yet
};

/// By UUID.
using Index = std::unordered_map<std::string, IndexEntry>;

/// The index as a file's text: a line with the format's version, then a line of words for each
/// entry: UUID, inode, size, two times, name, and, where it has a summary, that one's members;
/// images are three words each. In words of text every byte up to the blank and `%` is `%` and two
/// hexadecimal digits.
std::string format_index(const Index& index);
/// Empty where the text is not an index of this version, or damaged.
Index parse_index(std::string_view text);

} // namespace vireo::qemu
