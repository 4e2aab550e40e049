// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "storage-driver/policy/memory_load.hpp"

#include <string>
#include <vector>

namespace vireo::storage {

/// The policy's marks as text, and back. Times are CLOCK_MONOTONIC: the text is worth nothing after
/// the boot. Throws parse_failed for what is no such text.
std::string format_marks(const std::vector<StandingMark>& marks);
std::vector<StandingMark> parse_marks(const std::string& text);

} // namespace vireo::storage
