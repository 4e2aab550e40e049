// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/driver.hpp"

namespace vireo::qemu::actions {

/// The running guest goes on on other images: the definition's disk follows, where it is the same
/// disk on the image of `before`. A chain that the images' own headers tell is left to them. What
/// cannot be written is logged: the guest's data is in the new image by then. In the domain's turn.
Task<void> follow_in_definition(Driver& driver, DomainPtr domain, DiskDef before, DiskDef now);

} // namespace vireo::qemu::actions
