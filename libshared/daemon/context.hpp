// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/scope.hpp"
#include "libshared/bus/tree.hpp"
#include "libshared/daemon/clients.hpp"
#include "libshared/daemon/options.hpp"

namespace vireo {

/// What a daemon's service is built on. All of it outlives the service, but `tasks` are cancelled
/// before the service is destroyed.
struct Context {
    Loop& loop;
    Scope& tasks; // calls and work that keep the daemon from leaving
    const Options& options;
    bus::ObjectTree& objects; // what the driver's socket serves
    Clients& clients;
};

/// A daemon's own part. The constructor loads the state and fills `objects`.
class Service {
  public:
    Service() = default;
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;
    virtual ~Service() = default;
    /// True where nothing needs the daemon to stay: no active guest, no job. Open calls and tasks
    /// are counted by the daemon itself.
    virtual bool idle() const = 0;

    /// Asked once the daemon is idle and no peer is connected: true ends it at once; false means
    /// that the service does so itself (`loop.exit(0)`) or has found new work.
    virtual bool leave() { return true; }

    /// Ready to serve: sockets are open. Work that needs the loop starts here.
    virtual void started() {}
};

} // namespace vireo
