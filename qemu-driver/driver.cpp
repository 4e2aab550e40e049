// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/driver.hpp"

#include "libshared/log.hpp"

namespace vireo::qemu {

namespace {

using namespace std::chrono_literals;

constexpr auto index_delay = 3s;

} // namespace

std::vector<StoredDomain> Driver::stored_domains() const {
    std::vector<StoredDomain> stored;
    for (const auto& [name, domain] : registry.by_names()) {
        if (domain->persistent) {
            stored.push_back(StoredDomain{
                domain->uuid, name, domain->autostart, domain->definition, domain->summary});
        }
    }
    return stored;
}

void Driver::save_index() {
    if (definitions.index_is_stale()) {
        definitions.write_index(stored_domains());
    }
}

void Driver::definitions_changed() {
    if (!index_is_awaited_) {
        index_is_awaited_ = true;
        followers.spawn(save_index_later(), "index of definitions");
    }
}

Task<void> Driver::save_index_later() {
    co_await Sleep(ctx.loop, index_delay);
    index_is_awaited_ = false;
    try {
        std::vector<StoredDomain> stored = stored_domains();
        co_await definitions.save_index(std::move(stored));
    } catch (const Error& e) { // it is only a cache
        log::warning("the index of definitions is not written: {}", e.what());
    }
}

} // namespace vireo::qemu
