// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/task.hpp"
#include "qemu-driver/host.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

/// What a document means on this host, without a guest: nothing is started, opened or created.
/// Errors are those of a definition and of a start.
namespace vireo::qemu::actions {

/// What the next guest to start finds.
struct ComingGuest {
    std::uint32_t id = 1;
    std::string folder;           // of its status and its sockets
    std::set<std::int32_t> ports; // that other guests have
};

/// The command line that a guest of this document would be started with, the program first. Free
/// ports are looked for. Images are not opened: their chains are what the document says.
Task<std::vector<std::string>> preview_arguments(Host& host, ComingGuest coming, std::string xml);

/// The document as it would be stored.
Task<std::string> preview_definition(Host& host, std::string xml);

} // namespace vireo::qemu::actions
