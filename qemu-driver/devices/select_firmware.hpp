// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/domain_def.hpp"
#include "qemu-driver/model/host_facts.hpp"

#include <span>

namespace vireo::qemu {

/// Completes `<os>` for a start: with `firmware=` the first descriptor that suits the guest gives
/// loader, variables' template and what it needs (SMM); a flash loader without a path for its
/// variables gets `nvram_dir`/NAME_VARS.fd, and, where it names no template, the one of
/// the descriptor with that loader. Changes nothing else.
/// Throws config_unsupported when no descriptor suits.
void select_firmware(DomainDef& def,
                     std::span<const FirmwareFacts> firmware,
                     const QemuCapabilities& caps,
                     const std::string& nvram_dir);

} // namespace vireo::qemu
