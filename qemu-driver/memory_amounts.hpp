// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/model/memory_promises.hpp"

#include <cstdint>
#include <vector>

namespace vireo::qemu {

/// A running guest's memory as a whole, in bytes; all 0 where none runs.
struct MemoryAmounts {
    std::uint64_t minimum{}; // the least and the most that SetMemoryTarget takes
    std::uint64_t maximum{};
    std::uint64_t step{}; // by which it follows
    std::uint64_t target{};
    std::uint64_t current{};
    std::vector<MemoryPromise> promises;
};

} // namespace vireo::qemu
