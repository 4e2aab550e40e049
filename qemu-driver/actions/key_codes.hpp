// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>

namespace vireo::qemu::actions {

/// QEMU's number of the key that has `code` in the key code set `set` (virKeycodeSet): linux,
/// xt and atset1 (which are one set) and qnum. Throws argument_unsupported naming any other set,
/// invalid_arg where there is no such set or QEMU has no such key.
std::uint32_t qemu_key_number(std::uint32_t set, std::uint32_t code);

} // namespace vireo::qemu::actions
