// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/fd.hpp"

#include <string>

namespace vireo {

/// A listening stream socket at `path`, mode 0600, in place of a stale one. Close-on-exec, does not
/// block. Throws system_error; a path of more than 107 bytes is refused with its length.
Fd listen_unix(const std::string& path);

/// The same socket from the other end: connects without waiting. Empty where nobody listens (no
/// such file, or refused). Throws resource_busy where the listener's queue is full, system_error on
/// any other failure.
Fd connect_unix(const std::string& path);

/// The same from one driver to another. A driver does not pass signals on, so those that are kept
/// for whoever does (ObjectTree::started) are not for it: is_from_driver() tells it by the name
/// that its end has.
Fd connect_unix_as_driver(const std::string& path);
bool is_from_driver(int connection) noexcept;

/// The listening socket of a driver: the one that systemd (or the proxy) passed under `name`
/// (sd_listen_fds(3)), else one that is opened at `path`. Sockets passed under other names are
/// closed with a log line.
Fd take_listening_socket(const std::string& name, const std::string& path);

/// Holds `path` locked for as long as this process lives and writes its pid into it, so that no
/// second daemon serves the same folders. Throws operation_invalid naming the holder's pid.
/// A process that opens `path` once more gives the lock up by closing that.
Fd lock_instance(const std::string& path);

/// True where some process holds lock_instance on `path`.
bool instance_runs(const std::string& path);

} // namespace vireo
