// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <memory>
#include <optional>
#include <string>

namespace vireo {
class Loop;
}

namespace vireo::qemu {

/// The host's nodes that numad(8) advises for a guest with `placement='auto'`, as `0-1,3`; nothing
/// where the guest does not ask for it. Throws config_unsupported, saying what to do, where there
/// is no numad.
Task<std::optional<std::string>> numa_advice(Loop& loop, std::shared_ptr<const DomainDef> def);

} // namespace vireo::qemu
