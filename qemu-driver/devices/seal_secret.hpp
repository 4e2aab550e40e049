// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/devices/launch.hpp"

#include <array>
#include <cstdint>

namespace vireo::qemu {

using MasterKey = std::array<uint8_t, 32>;
using SealIv = std::array<uint8_t, 16>;

/// Encrypts a secret for one guest, as QEMU's `secret` object takes it with a `keyid`: AES-256-CBC
/// with PKCS#7 padding, in base64. `iv` must never be used twice with a key.
/// Source: QEMU, "Secrets" in docs/system/secrets.rst.
SealedSecret seal_secret(std::string_view secret, const MasterKey& key, const SealIv& iv);

} // namespace vireo::qemu
