// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/process.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <optional>
#include <string>

namespace vireo::qemu {

/// Where QEMU as a whole takes its memory from: `<numatune><memory>`, with `advice` where that
/// leaves it to the host. With 'restrictive' QEMU is told of no nodes, and this alone confines it.
std::optional<MemoryPolicy> memory_policy(const DomainDef& def,
                                          const std::optional<std::string>& advice);

/// The host is to say which nodes are best.
bool needs_numa_advice(const DomainDef& def);

} // namespace vireo::qemu
