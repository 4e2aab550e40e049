// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "libshared/daemon/options.hpp"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

/// The systemd units of guests: each runs in a scope of its own, so that stopping, updating or
/// killing the daemon's unit never meets a guest. The scope's end starts the daemon where that does
/// not run, which then sees what has ended and gives back what the guest had.
namespace vireo::qemu {

/// `vireo-guest-3-debian.scope`, each byte that no unit's name may have as \xNN; with the UUID in
/// the place of a name too long for one. Source: systemd.unit(5).
std::string scope_of(std::uint32_t id, std::string_view name, std::string_view uuid);

/// True for the system's own daemon, where systemd runs the host; others ask nobody.
bool has_guest_scopes(const Options& options);

/// Moves a process that has just become QEMU into the scope `unit` of the guest `name`, waiting at
/// most 10 s. Throws nothing: a guest that systemd does not take stays in the daemon's unit, which
/// is logged, and lives on when that is stopped (KillMode=process).
Task<void> enter_guest_scope(Loop& loop, pid_t pid, std::string unit, std::string name);

} // namespace vireo::qemu
