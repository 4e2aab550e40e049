// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace vireo::qemu {

/// What the model's passes need to know: this QEMU, this host and the daemon's folders. Firmware
/// is in `host.firmware`: few documents need it.
HostFacts host_facts(const Host& host, std::shared_ptr<const QemuCapabilities> capabilities);

/// The part of it about the host's pages.
HostFacts page_facts();

/// Random bytes of the kernel, good for keys.
void fill_random(std::span<std::uint8_t> bytes);

} // namespace vireo::qemu
