// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vireo::qemu {

using nlohmann::json;

/// Goes up whenever a field is added or means something else.
constexpr int cache_format = 1;

namespace {

int64_t nanoseconds(const timespec& t) {
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

} // namespace

// nlohmann finds these by name in the types' namespace.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QemuVersion, major, minor, micro)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(MachineType,
                                   name,
                                   alias,
                                   default_cpu,
                                   default_ram_id,
                                   max_cpus,
                                   hotpluggable_cpus,
                                   numa_memory_supported,
                                   deprecated,
                                   is_default)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    CpuModel, name, alias_of, deprecated, migration_safe, unavailable_features)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(
    BinaryIdentity, path, size, mtime_ns, ctime_ns, kernel, kvm_usable)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(QemuCapabilities,
                                   binary,
                                   version,
                                   package,
                                   arch,
                                   kvm_present,
                                   kvm_enabled,
                                   machines,
                                   kvm_cpu_models,
                                   tcg_cpu_models,
                                   kvm_host_cpu,
                                   tcg_host_cpu,
                                   types,
                                   commands,
                                   block_drivers,
                                   file_aio,
                                   netdev_types,
                                   chardev_types,
                                   display_types,
                                   tpm_models,
                                   tpm_types,
                                   properties,
                                   options)

BinaryIdentity identify_binary(const std::string& path) {
    struct stat info {};

    if (::stat(path.c_str(), &info) < 0 || !S_ISREG(info.st_mode) ||
        ::access(path.c_str(), X_OK) < 0) {
        throw Error(ErrorCode::no_support,
                    "no QEMU program '{}': {}",
                    path,
                    S_ISREG(info.st_mode) || info.st_mode == 0 ? std::strerror(errno)
                                                               : "not a file");
    }
    BinaryIdentity identity;
    identity.path = path;
    identity.size = static_cast<uint64_t>(info.st_size);
    identity.mtime_ns = nanoseconds(info.st_mtim);
    identity.ctime_ns = nanoseconds(info.st_ctim);
    utsname host{};
    if (::uname(&host) == 0) {
        identity.kernel = host.release;
    }
    identity.kvm_usable = ::access("/dev/kvm", R_OK | W_OK) == 0;
    return identity;
}

std::string to_cache(const BinaryIdentity& identity, const QemuCapabilities& caps) {
    json file = json::object();
    file["format"] = cache_format;
    file["identity"] = identity;
    file["capabilities"] = caps;
    return file.dump();
}

std::optional<QemuCapabilities> from_cache(std::string_view text, const BinaryIdentity& identity) {
    const json file = json::parse(text, nullptr, false);
    try {
        if (file.is_discarded() || file.at("format") != cache_format ||
            file.at("identity").get<BinaryIdentity>() != identity) {
            return std::nullopt;
        }
        return file.at("capabilities").get<QemuCapabilities>();
    } catch (const json::exception&) {
        return std::nullopt; // damaged or written by another version: as good as absent
    }
}

} // namespace vireo::qemu
