// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vireo::qemu {

using StringSet = std::set<std::string, std::less<>>;

/// One machine type of `query-machines`. `name` is the canonical name, `alias` the short one
/// ("pc").
struct MachineType {
    std::string name;
    std::string alias;
    std::string default_cpu;    ///< CPU model name without the type's suffix, empty when none
    std::string default_ram_id; ///< id that the main memory backend must have, empty when none
    unsigned max_cpus = 1;
    bool hotpluggable_cpus = false;
    bool numa_memory_supported = false;
    bool deprecated = false;
    bool is_default = false;

    bool operator==(const MachineType&) const = default;
};

/// One model of `query-cpu-definitions` under one accelerator.
struct CpuModel {
    std::string name;
    std::string alias_of; ///< the versioned model that an unversioned name stands for
    bool deprecated = false;
    bool migration_safe = false;
    std::vector<std::string> unavailable_features; ///< empty: the model can be used on this host

    bool usable() const noexcept { return unavailable_features.empty(); }

    bool operator==(const CpuModel&) const = default;
};

struct QemuVersion {
    unsigned major = 0, minor = 0, micro = 0;

    /// The number that libvirt's API reports: major * 1000000 + minor * 1000 + micro.
    uint64_t number() const noexcept { return major * 1000000ULL + minor * 1000ULL + micro; }

    bool operator==(const QemuVersion&) const = default;
};

/// What one QEMU binary can do: a plain value, learnt once from its QMP replies (probe.hpp) and
/// kept in a cache file. A feature is asked for by what QEMU lists (device types, properties,
/// commands, schema variants, options), never by QEMU's version.
struct QemuCapabilities {
    std::string binary;
    QemuVersion version;
    std::string package; ///< the distribution's version text, may be empty
    std::string arch;    ///< QEMU's target name, e.g. "x86_64"
    bool kvm_present = false;
    bool kvm_enabled = false;
    std::vector<MachineType> machines;
    std::vector<CpuModel> kvm_cpu_models; ///< empty without KVM
    std::vector<CpuModel> tcg_cpu_models;
    nlohmann::json kvm_host_cpu; ///< HostCpuFacts of the model 'host' under KVM, packed
    nlohmann::json tcg_host_cpu; ///< HostCpuFacts of the model 'max' under TCG, packed
    StringSet types;             ///< QOM types that can be created: devices, objects, accelerators
    StringSet commands;          ///< QMP commands
    StringSet block_drivers;     ///< drivers that `blockdev-add` takes
    StringSet file_aio;          ///< `aio` modes of the block driver "file"
    StringSet netdev_types;
    StringSet chardev_types;
    StringSet display_types;
    StringSet tpm_models, tpm_types;
    std::map<std::string, StringSet, std::less<>> properties; ///< of the probed types alone
    std::map<std::string, StringSet, std::less<>> options; ///< of the probed command line options

    bool operator==(const QemuCapabilities&) const = default;

    bool has_type(std::string_view type) const { return types.contains(type); }

    bool has_command(std::string_view command) const { return commands.contains(command); }

    /// True when the type is one that the probe asks for properties and it has this one.
    bool has_property(std::string_view type, std::string_view property) const;

    /// True when the binary knows the command line option, e.g. "sandbox" or "spice".
    bool has_option(std::string_view option) const { return options.contains(option); }

    bool has_option(std::string_view option, std::string_view parameter) const;

    /// The machine with this name or alias, null when there is none.
    const MachineType* machine(std::string_view name) const;
    /// The machine that QEMU itself takes when none is named, null when it has no default.
    const MachineType* default_machine() const;
    const std::vector<CpuModel>& cpu_models(bool kvm) const;
};

/// What a cache entry was made from; the entry is stale as soon as one of these differs.
struct BinaryIdentity {
    std::string path;
    uint64_t size = 0;
    int64_t mtime_ns = 0;
    int64_t ctime_ns = 0;
    std::string kernel;      ///< release of the running kernel: KVM's features come from it
    bool kvm_usable = false; ///< /dev/kvm can be opened for reading and writing

    bool operator==(const BinaryIdentity&) const = default;
};

/// Looks at the file and at /dev/kvm. Throws no_support when there is no such executable.
BinaryIdentity identify_binary(const std::string& path);

/// The text of a cache file.
std::string to_cache(const BinaryIdentity& identity, const QemuCapabilities& caps);
/// The capabilities of a cache file, or nothing when it is of another format, of another
/// binary or damaged: then the binary is probed again.
std::optional<QemuCapabilities> from_cache(std::string_view text, const BinaryIdentity& identity);

} // namespace vireo::qemu
