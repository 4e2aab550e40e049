// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/driver.hpp"

namespace vireo::qemu {

void Driver::save_index() {
    if (!definitions.index_is_stale()) {
        return;
    }
    std::vector<StoredDomain> stored;
    for (const auto& [name, domain] : registry.by_names()) {
        if (domain->persistent) {
            stored.push_back(StoredDomain{domain->uuid, name, domain->autostart});
        }
    }
    definitions.write_index(stored);
}

} // namespace vireo::qemu
