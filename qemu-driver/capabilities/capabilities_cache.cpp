// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/capabilities_cache.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/capabilities/probe_binary.hpp"

#include <cstdint>
#include <utility>

namespace vireo::qemu {

namespace {

/// FNV-1a; the same on every machine and in every version, unlike std::hash.
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    return hash;
}

} // namespace

CapabilitiesCache::CapabilitiesCache(Loop& loop, std::string folder, Limits limits)
    : loop_(loop), folder_(std::move(folder)), limits_(limits), probes_(loop) {}

Task<std::shared_ptr<const QemuCapabilities>> CapabilitiesCache::get(std::string binary) {
    bool waited = false;
    while (true) {
        const BinaryIdentity identity = identify_binary(binary);
        Entry& entry = entry_of(binary);
        if (auto found = look_up(entry, identity)) {
            co_return found;
        }
        if (!entry.probing) {
            throw_failure(entry, waited);
            probes_.spawn(probe(entry, identity), fmt::format("probe '{}'", binary));
        }
        // It may have failed at once; else its end is waited for.
        waited = true;
        if (entry.probing) {
            co_await entry.changed.next();
        }
    }
}

std::shared_ptr<const QemuCapabilities> CapabilitiesCache::known(const std::string& binary) {
    const BinaryIdentity identity = identify_binary(binary);
    return look_up(entry_of(binary), identity);
}

CapabilitiesCache::Entry& CapabilitiesCache::entry_of(const std::string& binary) {
    auto& entry = entries_[binary];
    if (!entry) {
        entry = std::make_unique<Entry>(loop_);
    }
    return *entry;
}

std::shared_ptr<const QemuCapabilities> CapabilitiesCache::look_up(Entry& entry,
                                                                   const BinaryIdentity& identity) {
    if (entry.identity == identity) {
        return entry.capabilities; // or null: what the file has was looked at before
    }
    if (entry.probing) {
        return nullptr;
    }
    entry.identity = identity;
    entry.failure.reset();
    entry.capabilities.reset();
    try {
        if (const auto text = read_file_if_exists(file_of(identity.path))) {
            if (auto read = from_cache(*text, identity)) {
                entry.capabilities = std::make_shared<const QemuCapabilities>(std::move(*read));
            }
        }
    } catch (const Error& e) {
        log::warning("the capabilities of '{}' are probed anew: {}", identity.path, e.what());
    }
    return entry.capabilities;
}

void CapabilitiesCache::throw_failure(const Entry& entry, bool however_old) const {
    if (!entry.failure) {
        return;
    }
    if (however_old || loop_.now() - entry.failure->when < limits_.failure) {
        throw Error(entry.failure->code, "{}", entry.failure->text);
    }
}

Task<void> CapabilitiesCache::probe(Entry& entry, BinaryIdentity identity) {
    entry.probing = true;
    entry.failure.reset();
    std::shared_ptr<const QemuCapabilities> found;
    try {
        auto probing = probe_binary(loop_, identity.path, identity.kvm_usable, limits_.probe);
        found = co_await std::move(probing);
    } catch (const Error& e) {
        entry.failure = Failure{e.code(), e.what(), loop_.now()};
    } catch (const std::exception& e) { // a bug, but nobody may wait for ever
        entry.failure = Failure{ErrorCode::internal, e.what(), loop_.now()};
    }
    entry.capabilities = found;
    entry.probing = false;
    entry.changed.notify();
    if (!found) {
        co_return;
    }
    std::function<void()> save =
        [folder = folder_, file = file_of(identity.path), identity, found] {
            make_folders(folder);
            write_file(file, to_cache(identity, *found)); // not durable: a damaged one is made anew
        };
    try {
        co_await Offload<void>(loop_, std::move(save));
    } catch (const Error& e) {
        log::warning("the capabilities of '{}' are not kept: {}", identity.path, e.what());
    }
}

std::string CapabilitiesCache::file_of(const std::string& binary) const {
    const std::string name = binary.substr(binary.rfind('/') + 1).substr(0, 100);
    return fmt::format("{}/{}-{:016x}.json", folder_, name, hash_of(binary));
}

} // namespace vireo::qemu
