// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

namespace vireo::proxy {

/// Whether somebody listens on the UNIX socket at `path`, found out without connecting, since that
/// would wake a driver that systemd starts by its socket. Source: proc(5), /proc/net/unix.
bool is_listening(const std::string& path);

/// The same from the content of /proc/net/unix.
bool is_listening(std::string_view table, std::string_view path);

} // namespace vireo::proxy
