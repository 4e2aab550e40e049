// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string_view>

namespace vireo::proxy {

/// Where the kernel lists UNIX sockets. Source: proc(5).
inline constexpr const char* socket_table = "/proc/net/unix";

/// Whether somebody listens on the UNIX socket at `path`, by the content of socket_table: found out
/// without connecting, since that would wake a driver that systemd starts by its socket.
bool is_listening(std::string_view table, std::string_view path);

} // namespace vireo::proxy
