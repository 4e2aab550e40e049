// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/error.hpp"
#include "qemu-driver/model/hostdev_def.hpp"
#include "qemu-driver/model/problem.hpp"

#include <string_view>

namespace vireo::qemu {

/// Throws operation_failed with the line of the `<hostdev>`: the host does not have what it names.
[[noreturn]] inline void fail_hostdev(const HostdevDef& hostdev, std::string_view what) {
    throw Error(ErrorCode::operation_failed, "{}", located(hostdev.info.where, "hostdev", what));
}

} // namespace vireo::qemu
