// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/options.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace vireo {

/// What is to be known of a driver to reach it and to start it.
struct DriverPlaces {
    std::string daemon;                 // vireo-qemud
    std::string socket_name;            // qemud.sock, under which it takes the listening socket
    std::string socket;                 // its path
    std::string lock;                   // held (lock_instance) while the driver runs
    std::string program;                // its executable
    std::vector<std::string> arguments; // without argv[0]
    // The unit by which systemd listens and starts it; empty where nobody but who asks would do so.
    std::string socket_unit{};
};

/// Where the driver is: its socket and lock in the runtime directory, its program in `programs`;
/// it is given the same root or mode, and the same idle time, as who asks has.
DriverPlaces
places_of(std::string_view driver, const Options& options, const std::string& programs);

/// The folder of this executable, where the other daemons are too.
std::string program_folder();

} // namespace vireo
