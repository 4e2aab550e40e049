// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace vireo::test {

/// A small q35 guest under TCG without disks: its firmware finds nothing to boot. 64 MiB.
std::string small_guest(const std::string& name, const std::string& devices = {});

} // namespace vireo::test
