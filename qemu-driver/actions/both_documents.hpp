// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"
#include "qemu-driver/model/domain_def.hpp"

#include <functional>
#include <memory>

/// A change of the running guest and of its definition in one call: both, or none of them.
namespace vireo::qemu::actions {

using Definition = std::shared_ptr<const DomainDef>;
using TakeBack = std::function<Task<void>()>;

/// Stores `def`, unless it is null, after the running guest has been changed. Where that fails the
/// guest is changed back by `take_back`, if there is one. In the domain's turn.
Task<void> store_or(Driver& driver, DomainPtr domain, Definition def, TakeBack take_back);

} // namespace vireo::qemu::actions
