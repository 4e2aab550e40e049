// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/capabilities_cache.hpp"

#include "qemu-driver/capabilities/probe_binary.hpp"

namespace vireo::qemu {

namespace {

ProbedKind<QemuCapabilities> all_capabilities() {
    ProbedKind<QemuCapabilities> kind;
    kind.suffix = ".json";
    kind.probe = [](Loop& loop, BinaryIdentity identity, std::chrono::milliseconds limit) {
        return probe_binary(loop, std::move(identity.path), identity.kvm_usable, limit);
    };
    kind.to_text = &to_cache;
    kind.from_text = &from_cache;
    return kind;
}

} // namespace

CapabilitiesCache::CapabilitiesCache(Loop& loop, std::string folder, Limits limits)
    : ProbedCache(loop, std::move(folder), all_capabilities(), limits) {}

} // namespace vireo::qemu
