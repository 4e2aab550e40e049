// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace vireo {

/// Where a daemon keeps things; without a slash at the end. Folders of a daemon are below these
/// (`config + "/qemu"`). Source: docs/design.md, "Places".
struct Directories {
    std::string runtime; // sockets, status: ends with the boot
    std::string config;  // definitions
    std::string state;   // what must last
    std::string cache;   // may be deleted at any time
    std::string log;     // guests' output

    static Directories system();
    /// Below the XDG base directories. Throws operation_invalid where $HOME is needed and not set.
    static Directories session();
    /// `root/run`, `root/etc`, `root/lib`, `root/cache`, `root/log`: short, because a socket's path
    /// has at most 107 bytes (unix(7)).
    static Directories below(const std::string& root);
};

} // namespace vireo
