// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/probed_cache.hpp"

#include "libshared/async/offload.hpp"
#include "libshared/files.hpp"
#include "libshared/log.hpp"
#include "qemu-driver/capabilities/cpu_models.hpp"

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

template <class Value>
ProbedCache<Value>::ProbedCache(Loop& loop,
                                std::string folder,
                                ProbedKind<Value> kind,
                                ProbeLimits limits)
    : loop_(loop),
      folder_(std::move(folder)),
      kind_(std::move(kind)),
      limits_(limits),
      probes_(loop) {}

template <class Value>
Task<std::shared_ptr<const Value>> ProbedCache<Value>::get(std::string binary) {
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

template <class Value>
std::shared_ptr<const Value> ProbedCache<Value>::known(const std::string& binary) {
    const BinaryIdentity identity = identify_binary(binary);
    return look_up(entry_of(binary), identity);
}

template <class Value>
typename ProbedCache<Value>::Entry& ProbedCache<Value>::entry_of(const std::string& binary) {
    auto& entry = entries_[binary];
    if (!entry) {
        entry = std::make_unique<Entry>(loop_);
    }
    return *entry;
}

template <class Value>
std::shared_ptr<const Value> ProbedCache<Value>::look_up(Entry& entry,
                                                         const BinaryIdentity& identity) {
    if (entry.identity == identity) {
        return entry.value; // or null: what the file has was looked at before
    }
    if (entry.probing) {
        return nullptr;
    }
    entry.identity = identity;
    entry.failure.reset();
    entry.value.reset();
    try {
        if (const auto text = read_file_if_exists(file_of(identity.path))) {
            if (auto read = kind_.from_text(*text, identity)) {
                entry.value = std::make_shared<const Value>(std::move(*read));
            }
        }
    } catch (const Error& e) {
        log::warning("what is known of '{}' is probed anew: {}", identity.path, e.what());
    }
    return entry.value;
}

template <class Value>
void ProbedCache<Value>::throw_failure(const Entry& entry, bool however_old) const {
    if (!entry.failure) {
        return;
    }
    if (however_old || loop_.now() - entry.failure->when < limits_.failure) {
        throw Error(entry.failure->code, "{}", entry.failure->text);
    }
}

template <class Value>
Task<void> ProbedCache<Value>::probe(Entry& entry, BinaryIdentity identity) {
    entry.probing = true;
    entry.failure.reset();
    std::shared_ptr<const Value> found;
    try {
        auto probing = kind_.probe(loop_, identity, limits_.probe);
        found = co_await std::move(probing);
    } catch (const Error& e) {
        entry.failure = Failure{e.code(), e.what(), loop_.now()};
    } catch (const std::exception& e) { // a bug, but nobody may wait for ever
        entry.failure = Failure{ErrorCode::internal, e.what(), loop_.now()};
    }
    entry.value = found;
    entry.probing = false;
    entry.changed.notify();
    if (!found) {
        co_return;
    }
    std::function<void()> save = [folder = folder_,
                                  file = file_of(identity.path),
                                  to_text = kind_.to_text,
                                  identity,
                                  found] {
        make_folders(folder);
        write_file(file, to_text(identity, *found)); // not durable: a damaged one is made anew
    };
    try {
        co_await Offload<void>(loop_, std::move(save));
    } catch (const Error& e) {
        log::warning("what is known of '{}' is not kept: {}", identity.path, e.what());
    }
}

template <class Value>
std::string ProbedCache<Value>::file_of(const std::string& binary) const {
    const std::string name = binary.substr(binary.rfind('/') + 1).substr(0, 100);
    return fmt::format("{}/{}-{:016x}{}", folder_, name, hash_of(binary), kind_.suffix);
}

template class ProbedCache<CpuModels>;
template class ProbedCache<QemuCapabilities>;

} // namespace vireo::qemu
