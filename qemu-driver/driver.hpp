// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/daemon/context.hpp"
#include "qemu-driver/events.hpp"
#include "qemu-driver/host.hpp"
#include "qemu-driver/registry.hpp"
#include "qemu-driver/store/definitions.hpp"
#include "qemu-driver/store/statuses.hpp"

#include <string>

namespace vireo::qemu {

/// What the actions work on: the host, and the guests. It lives as long as the service, so every action may refer to it over
/// its waits.
struct Driver : Host {
    explicit Driver(Context& context)
        : Host(context.loop, context.options),
          ctx(context),
          definitions(
              context.loop, context.options.directories.config, context.options.directories.cache),
          statuses(context.options.directories.runtime),
          events(context.objects),
          followers(context.loop) {}

    /// Writes the index of definitions where it is stale; for the daemon's end.
    void save_index();
    /// A definition has changed: the index follows, some time after the last of many changes.
    void definitions_changed();

    Context& ctx;
    Definitions definitions;
    Statuses statuses;
    Registry registry;
    Events events;
    Scope followers; // one task for each active guest, until its process has ended

  private:
    std::vector<StoredDomain> stored_domains() const;
    Task<void> save_index_later();

    bool index_is_awaited_ = false;
};

} // namespace vireo::qemu
