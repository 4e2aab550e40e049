// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "libshared/async/loop.hpp"
#include "libshared/async/task.hpp"
#include "qemu-driver/model/snapshot_def.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace vireo::qemu {

/// What is known of the snapshots that were taken of domains: a file for each in a folder for each
/// domain, `STATE/qemu/snapshots/UUID/NAME.xml`, the name encoded. Read when somebody first asks
/// for those of a domain.
class Snapshots {
  public:
    using SnapshotPtr = std::shared_ptr<const SnapshotDef>;
    /// By name.
    using OfDomain = std::map<std::string, SnapshotPtr, std::less<>>;

    Snapshots(Loop& loop, const std::string& state)
        : loop_(loop), folder_(state + "/qemu/snapshots") {}

    /// UUIDs of the domains that have any.
    std::vector<std::string> domains() const;
    const OfDomain& of(const std::string& uuid);
    /// Throws no_domain_snapshot.
    SnapshotPtr find(const std::string& uuid, std::string_view name);
    /// The one that the domain stands on; null where there is none.
    SnapshotPtr current(const std::string& uuid);

    /// On disk when it returns. A current one takes that from the other. In the domain's turn.
    Task<void> save(std::string uuid, SnapshotDef snapshot);
    /// What is known of it; its images stay. Those that were taken upon it are then upon its
    /// parent, which is current where it was.
    Task<void> remove(std::string uuid, std::string name);
    /// All of a domain.
    Task<void> remove_all(std::string uuid);

  private:
    std::string path_of(const std::string& uuid, const std::string& name) const;
    Task<void> write(std::string uuid, SnapshotPtr snapshot);

    Loop& loop_;
    std::string folder_;
    std::map<std::string, OfDomain> domains_;
};

} // namespace vireo::qemu
