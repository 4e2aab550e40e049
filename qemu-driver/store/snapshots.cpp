// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/store/snapshots.hpp"

#include "libshared/bus/path.hpp"
#include "libshared/error.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"

#include <algorithm>
#include <filesystem>

namespace vireo::qemu {

namespace {

SnapshotDef with_current(const SnapshotDef& snapshot, bool current) {
    SnapshotDef changed = snapshot;
    changed.active = current ? 1 : 0;
    return changed;
}

} // namespace

std::string Snapshots::path_of(const std::string& uuid, const std::string& name) const {
    return fmt::format("{}/{}/{}.xml", folder_, uuid, bus::encode_path_element(name));
}

std::vector<std::string> Snapshots::domains() const {
    std::vector<std::string> uuids;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, none)) {
        uuids.push_back(entry.path().filename());
    }
    return uuids;
}

const Snapshots::OfDomain& Snapshots::of(const std::string& uuid) {
    const auto [known, first] = domains_.try_emplace(uuid);
    if (!first) {
        return known->second;
    }
    const std::string folder = folder_ + "/" + uuid;
    remove_unfinished(folder);
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(folder, none)) {
        try {
            auto snapshot =
                std::make_shared<const SnapshotDef>(parse_snapshot(read_file(entry.path())));
            known->second.emplace(snapshot->name, std::move(snapshot));
        } catch (const Error& e) {
            log::error("snapshot '{}' is passed over: {}", entry.path().native(), e.phrased());
        }
    }
    return known->second;
}

Snapshots::SnapshotPtr Snapshots::find(const std::string& uuid, std::string_view name) {
    const OfDomain& all = of(uuid);
    const auto found = all.find(name);
    if (found == all.end()) {
        throw Error(
            ErrorCode::no_domain_snapshot, "no domain snapshot with matching name '{}'", name);
    }
    return found->second;
}

Snapshots::SnapshotPtr Snapshots::current(const std::string& uuid) {
    for (const auto& [name, snapshot] : of(uuid)) {
        if (snapshot->active == 1U) {
            return snapshot;
        }
    }
    return nullptr;
}

Task<void> Snapshots::write(std::string uuid, SnapshotPtr snapshot) {
    make_folders(folder_ + "/" + uuid);
    const std::string path = path_of(uuid, snapshot->name);
    std::string text = format_snapshot(*snapshot, true);
    co_await save_file(loop_, path, std::move(text));
    domains_[uuid].insert_or_assign(snapshot->name, std::move(snapshot));
}

Task<void> Snapshots::save(std::string uuid, SnapshotDef snapshot) {
    const SnapshotPtr before = current(uuid);
    const bool takes_over = snapshot.active == 1U && before && before->name != snapshot.name;
    auto made = std::make_shared<const SnapshotDef>(std::move(snapshot));
    co_await write(uuid, std::move(made));
    if (takes_over) {
        auto former = std::make_shared<const SnapshotDef>(with_current(*before, false));
        co_await write(uuid, std::move(former));
    }
}

Task<void> Snapshots::remove(std::string uuid, std::string name) {
    const SnapshotPtr gone = find(uuid, name);
    std::vector<SnapshotPtr> changed;
    for (const auto& [other, snapshot] : of(uuid)) {
        const bool child = snapshot->parent == name;
        const bool heir = gone->active == 1U && other == gone->parent;
        if (child || heir) {
            SnapshotDef moved = with_current(*snapshot, heir || snapshot->active == 1U);
            moved.parent = child ? gone->parent : snapshot->parent;
            changed.push_back(std::make_shared<const SnapshotDef>(std::move(moved)));
        }
    }
    for (SnapshotPtr& snapshot : changed) {
        co_await write(uuid, std::move(snapshot));
    }
    co_await delete_file(loop_, path_of(uuid, name));
    domains_[uuid].erase(name);
}

Task<void> Snapshots::remove_all(std::string uuid) {
    std::vector<std::string> names;
    for (const auto& [name, snapshot] : of(uuid)) {
        names.push_back(name);
    }
    for (const std::string& name : names) {
        co_await delete_file(loop_, path_of(uuid, name));
    }
    domains_.erase(uuid);
    std::error_code failure;
    std::filesystem::remove(folder_ + "/" + uuid, failure); // empty by now
}

} // namespace vireo::qemu
