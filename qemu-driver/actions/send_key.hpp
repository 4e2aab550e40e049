// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

#include <cstdint>
#include <vector>

namespace vireo::qemu::actions {

/// Keys that are pressed together and released after `hold_ms` (0: as long as QEMU holds them by
/// itself).
struct KeyPress {
    std::uint32_t set = 0; // virKeycodeSet
    std::uint32_t hold_ms = 0;
    std::vector<std::uint32_t> codes; // 1 to 16
};

/// The arguments of QEMU's `send-key`. Throws invalid_arg where there are no or too many keys, and
/// what qemu_key_number() throws.
nlohmann::json send_key_arguments(const KeyPress& press);

/// Waits for its turn and for QEMU. Throws operation_invalid where the domain is not running.
Task<void> send_key(Driver& driver, DomainPtr domain, KeyPress press);

} // namespace vireo::qemu::actions
