// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "libshared/daemon/driver_caller.hpp"
#include "libshared/sysfs.hpp"
#include "qemu-driver/events.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/registry.hpp"
#include "qemu-driver/store/definitions.hpp"
#include "qemu-driver/store/snapshots.hpp"
#include "qemu-driver/store/statuses.hpp"

#include <string>

namespace vireo::qemu {

/// What the actions work on: the host, and the guests. It lives as long as the service, so every
/// action may refer to it over its waits.
struct Driver : Host {
    explicit Driver(Context& context)
        : Host(context.loop, context.options),
          ctx(context),
          definitions(
              context.loop, context.options.directories.config, context.options.directories.cache),
          statuses(context.options.directories.runtime),
          snapshots(context.loop, context.options.directories.state),
          events(context.objects),
          host(host_tree()),
          nodedevd(context.loop, places_of("nodedevd", context.options, program_folder())),
          followers(context.loop) {}

    /// Writes the index of definitions where it is stale; for the daemon's end.
    void save_index();
    /// A definition has changed: the index follows, some time after the last of many changes.
    void definitions_changed();

    Context& ctx;
    Definitions definitions;
    Statuses statuses;
    Snapshots snapshots;
    Registry registry;
    Events events;
    Sysfs host;            // its /sys and /proc
    DriverCaller nodedevd; // lends devices of the host
    Scope followers;       // one task for each active guest, until its process has ended

  private:
    std::vector<StoredDomain> stored_domains() const;
    Task<void> save_index_later();

    bool index_is_awaited_ = false;
};

} // namespace vireo::qemu
