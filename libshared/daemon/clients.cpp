// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/daemon/clients.hpp"

#include "libshared/log.hpp"

#include <fmt/format.h>

namespace vireo {

namespace {

constexpr std::string_view name_prefix = "name ";

} // namespace

std::string Clients::key_of(sd_bus* connection) {
    return fmt::format("connection {}", static_cast<const void*>(connection));
}

std::unique_ptr<Clients::Watch> Clients::watch(const bus::Caller& caller,
                                               std::function<void()> gone) {
    const bool named = !caller.name.empty();
    auto watch = std::make_unique<Watch>(
        *this, named ? std::string(name_prefix) + caller.name : key_of(caller.connection));
    watches_.emplace(watch->key_, std::pair(watch.get(), std::move(gone)));
    if (named) {
        ask_(caller.name);
    }
    return watch;
}

void Clients::ask_again() const {
    for (auto at = watches_.begin(); at != watches_.end(); at = watches_.upper_bound(at->first)) {
        if (at->first.starts_with(name_prefix)) {
            ask_(at->first.substr(name_prefix.size()));
        }
    }
}

void Clients::connection_ended(sd_bus* connection) {
    left(key_of(connection));
}

void Clients::left(const std::string& key) {
    // A callback may drop watches, its own among them: take one at a time.
    for (auto found = watches_.find(key); found != watches_.end(); found = watches_.find(key)) {
        const auto gone = std::move(found->second.second);
        watches_.erase(found);
        try {
            gone();
        } catch (const std::exception& e) {
            log::error("{} has left: {}", key, e.what());
        }
    }
}

void Clients::forget(const Watch& watch) {
    std::erase_if(watches_, [&](const auto& entry) { return entry.second.first == &watch; });
}

} // namespace vireo
