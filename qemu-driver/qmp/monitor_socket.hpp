// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <string>

namespace vireo::qemu::qmp {

/// A guest's monitor socket at `path`, mode 0600, in place of a stale one. It listens already and
/// is handed down to QEMU (`-chardev socket,fd=N,server=on,wait=off`), so that connect_to_monitor()
/// succeeds before QEMU runs and the greeting is just awaited. The path's folder may have any
/// length, its last part at most 80 bytes. Throws system_error.
Fd listen_on_monitor(const std::string& path);

/// Connects without waiting. Empty where nobody listens: QEMU is gone. Throws resource_busy where
/// QEMU has not accepted earlier connections yet (it serves one at a time): it may be hung.
Fd connect_to_monitor(const std::string& path);

} // namespace vireo::qemu::qmp
