// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>

namespace vireo::storage {

/// Who takes part when memory is shared out or collected; bytes.
struct MemoryClaim {
    uint64_t has{};    // growing: what it has already; shrinking: what it could give
    uint32_t weight{}; // growing: more for more; shrinking: less from more. Not 0.
    uint64_t step{};   // it takes multiples of this
    uint64_t least{};  // less is not worth it
    uint64_t most{};   // a multiple of `step`
    uint64_t part{};   // the result: 0, or from `least` to `most`
};

/// Gives at most `amount` to those who have least for their weight, and then evenly by weight.
/// Returns what was given.
uint64_t share_out(std::span<MemoryClaim> claims, uint64_t amount);

/// Takes `amount`, or little more, from those who could give most for their weight.
/// Returns what was taken.
uint64_t collect(std::span<MemoryClaim> claims, uint64_t amount);

} // namespace vireo::storage
