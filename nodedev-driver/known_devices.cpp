// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nodedev-driver/known_devices.hpp"

#include "libshared/files.hpp"

#include <set>
#include <sstream>

namespace vireo::nodedev {

std::vector<Change> KnownDevices::compare(const Registry& registry) const {
    const auto stored = read_file_if_exists(file_);
    std::vector<Change> changes;
    if (!stored) {
        return changes;
    }
    std::istringstream lines(*stored);
    std::set<std::string, std::less<>> before;
    for (std::string name; std::getline(lines, name);) {
        if (!registry.find(name)) {
            changes.push_back({name, ChangeKind::deleted});
        }
        before.insert(std::move(name));
    }
    for (const auto& [name, device] : registry.devices()) {
        if (!before.contains(name)) {
            changes.push_back({name, ChangeKind::created});
        }
    }
    return changes;
}

void KnownDevices::save(const Registry& registry) const {
    std::string names;
    for (const auto& [name, device] : registry.devices()) {
        names += name;
        names += '\n';
    }
    make_folders(file_.substr(0, file_.rfind('/')));
    write_file(file_, names);
}

} // namespace vireo::nodedev
