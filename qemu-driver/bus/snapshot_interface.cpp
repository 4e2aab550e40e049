// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/bus/snapshot_interface.hpp"

#include "qemu-driver/actions/snapshot_domain.hpp"
#include "qemu-driver/bus/flags.hpp"
#include "qemu-driver/snapshot_path.hpp"

#include <algorithm>
#include <functional>

namespace vireo::qemu {

namespace {

// virDomainSnapshotListFlags
constexpr std::uint32_t descend_or_roots = 1; // of a snapshot: all below; of a domain: roots
constexpr std::uint32_t with_metadata = 2;
constexpr std::uint32_t leaves = 4;
constexpr std::uint32_t no_leaves = 8;
constexpr std::uint32_t without_metadata = 16;
constexpr std::uint32_t of_stopped = 32;
constexpr std::uint32_t of_active = 64;
constexpr std::uint32_t of_disks = 128;
constexpr std::uint32_t internal = 256;
constexpr std::uint32_t external = 512;
constexpr std::uint32_t in_order = 1024;
constexpr std::uint32_t all_flags = 2047;

bool has_child(const Snapshots::OfDomain& all, const std::string& name) {
    return std::ranges::any_of(all, [&](const auto& each) { return each.second->parent == name; });
}

/// Of each group of flags that is asked for at all, one must fit.
bool fits(const Snapshots::OfDomain& all, const SnapshotDef& snapshot, std::uint32_t flags) {
    const auto group = [&](std::uint32_t which, std::uint32_t is) {
        return (flags & which) == 0 || (flags & is) != 0;
    };
    return group(with_metadata | without_metadata, with_metadata) &&
           group(leaves | no_leaves, has_child(all, snapshot.name) ? no_leaves : leaves) &&
           group(of_stopped | of_active | of_disks, of_disks) &&
           group(internal | external, external);
}

void add_below(const Snapshots::OfDomain& all,
               const std::string& parent,
               bool deep,
               std::vector<const SnapshotDef*>& found) {
    for (const auto& [name, snapshot] : all) {
        if (snapshot->parent == parent) {
            found.push_back(snapshot.get());
            if (deep) {
                add_below(all, name, deep, found);
            }
        }
    }
}

} // namespace

std::vector<bus::ObjectPath> list_snapshots(Driver& driver,
                                            const Domain& domain,
                                            const std::string& parent,
                                            std::uint32_t flags) {
    require_no_flags(flags & ~all_flags);
    const Snapshots::OfDomain& all = driver.snapshots.of(domain.uuid);
    std::vector<const SnapshotDef*> found;
    const bool asked = (flags & descend_or_roots) != 0;
    add_below(all, parent, parent.empty() ? !asked : asked, found); // parents come first, always
    std::vector<bus::ObjectPath> paths;
    for (const SnapshotDef* snapshot : found) {
        if (fits(all, *snapshot, flags & ~(descend_or_roots | in_order))) {
            paths.emplace_back(snapshot_path(domain, snapshot->name));
        }
    }
    return paths;
}

Task<void> SnapshotInterface::remove(std::uint32_t flags) {
    return actions::delete_snapshot(driver_, domain_, name_, flags);
}

bus::ObjectPath SnapshotInterface::parent(std::uint32_t flags) {
    require_no_flags(flags);
    const auto snapshot = driver_.snapshots.find(domain_->uuid, name_);
    if (snapshot->parent.empty()) {
        throw Error(ErrorCode::no_domain_snapshot, "snapshot '{}' does not have a parent", name_);
    }
    return bus::ObjectPath(snapshot_path(*domain_, snapshot->parent));
}

std::string SnapshotInterface::xml(std::uint32_t flags) {
    constexpr std::uint32_t secure = 1; // VIR_DOMAIN_SNAPSHOT_XML_SECURE
    require_no_flags(flags & ~secure);
    SnapshotDef snapshot = *driver_.snapshots.find(domain_->uuid, name_);
    snapshot.active.reset(); // of the daemon's own files
    return format_snapshot(std::move(snapshot), (flags & secure) != 0);
}

bool SnapshotInterface::is_current(std::uint32_t flags) {
    require_no_flags(flags);
    return driver_.snapshots.find(domain_->uuid, name_)->active == 1U;
}

std::vector<bus::ObjectPath> SnapshotInterface::children(std::uint32_t flags) {
    driver_.snapshots.find(domain_->uuid, name_);
    return list_snapshots(driver_, *domain_, name_, flags);
}

const sd_bus_vtable snapshot_vtable[] = {
    bus::start(),
    bus::method<&SnapshotInterface::remove, "flags">("Delete"),
    bus::method<&SnapshotInterface::parent, "flags", "domainSnapshot">("GetParent"),
    bus::method<&SnapshotInterface::xml, "flags", "xml">("GetXMLDesc"),
    bus::method<&SnapshotInterface::is_current, "flags", "domainSnapshot">("IsCurrent"),
    bus::method<&SnapshotInterface::children, "flags", "domainSnapshots">("ListChildren"),
    bus::end(),
};

} // namespace vireo::qemu
