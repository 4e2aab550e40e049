// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "tools/environment.hpp"

#include <string>
#include <string_view>

namespace vireo::qemu {

/// The arguments of `blockdev-add` for each image of the disk in the document `text`, the one that
/// the guest sees first, its format before its storage. Names of nodes come from the document's
/// `<privateData>`, as a running guest's status has them.
std::string print_blockdevs(const Environment& env, std::string_view text);

} // namespace vireo::qemu
