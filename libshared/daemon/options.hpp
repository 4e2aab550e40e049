// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/directories.hpp"
#include "libshared/log.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace vireo {

/// What every daemon understands on its command line.
struct Options {
    Directories directories;
    std::string root;                       // as given by --root; empty without
    bool session = false;                   // a user's own instance, not the system's
    std::chrono::seconds idle_timeout{120}; // 0: never leave
    log::Level log_level = log::Level::info;
};

/// Reads the arguments. Empty where --help or --version was answered; throws invalid_arg naming the
/// argument that is wrong. Without --system, --session or --root: the system's for root, else the
/// user's.
std::optional<Options> parse_options(const std::string& program, int argc, char** argv);

} // namespace vireo
