// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"

#include <functional>
#include <memory>
#include <string>

namespace vireo {

struct DaemonInfo {
    std::string name;   // "vireo-qemud"
    std::string socket; // "qemud.sock", below the runtime directory; empty: serves none
};

using MakeService = std::function<std::unique_ptr<Service>(Context&)>;

/// A daemon's whole life: arguments, signals, loop, service, sockets, READY=1, serving, leaving.
/// Gives the exit status: 0, 1 on failure, 2 on wrong arguments. What escapes is logged once.
int run_daemon(const DaemonInfo& info, int argc, char** argv, const MakeService& make) noexcept;

} // namespace vireo
