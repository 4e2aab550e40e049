// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/identity_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace vireo::qemu {

using nlohmann::json;

/// Goes up whenever a field is added or means something else.
constexpr int cache_format = 4;

// The file is read on the way to a daemon's first answer, and the time goes with its bytes and its
// JSON values: sets are one string each, records are arrays, and the names of CPU features, which
// nearly every CPU model repeats, are numbers in one string per model.

namespace {

int64_t nanoseconds(const timespec& t) {
    return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

/// Names never hold a line's end.
std::string joined(const StringSet& names) {
    return fmt::format("{}", fmt::join(names, "\n"));
}

StringSet split(const json& text) {
    const auto& names = text.get_ref<const std::string&>();
    StringSet set;
    for (std::size_t begin = 0; begin < names.size();) {
        const std::size_t end = std::min(names.find('\n', begin), names.size());
        set.emplace_hint(set.end(), names, begin, end - begin);
        begin = end + 1;
    }
    return set;
}

template <class Map>
json joined_each(const Map& sets) {
    json object = json::object();
    for (const auto& [name, set] : sets) {
        object[name] = joined(set);
    }
    return object;
}

template <class Map>
Map split_each(const json& object) {
    Map sets;
    for (const auto& [name, text] : object.items()) {
        sets.emplace(name, split(text));
    }
    return sets;
}

json packed(const MachineType& machine) {
    return json::array({machine.name,
                        machine.alias,
                        machine.default_cpu,
                        machine.default_ram_id,
                        machine.max_cpus,
                        machine.hotpluggable_cpus,
                        machine.numa_memory_supported,
                        machine.deprecated,
                        machine.is_default});
}

MachineType unpacked_machine(const json& record) {
    MachineType machine;
    machine.name = record.at(0).get<std::string>();
    machine.alias = record.at(1).get<std::string>();
    machine.default_cpu = record.at(2).get<std::string>();
    machine.default_ram_id = record.at(3).get<std::string>();
    machine.max_cpus = record.at(4).get<unsigned>();
    machine.hotpluggable_cpus = record.at(5).get<bool>();
    machine.numa_memory_supported = record.at(6).get<bool>();
    machine.deprecated = record.at(7).get<bool>();
    machine.is_default = record.at(8).get<bool>();
    return machine;
}

/// Gives each feature its number, in the order in which they are first seen.
class FeatureNumbers {
  public:
    std::size_t number(const std::string& feature) {
        const auto [place, added] = numbers_.try_emplace(feature, names_.size());
        if (added) {
            names_.push_back(feature);
        }
        return place->second;
    }

    const json& names() const { return names_; }

  private:
    std::map<std::string, std::size_t> numbers_;
    json names_ = json::array();
};

json packed(const std::vector<CpuModel>& models, FeatureNumbers& features) {
    json records = json::array();
    for (const CpuModel& model : models) {
        std::string unavailable;
        for (const std::string& feature : model.unavailable_features) {
            unavailable += fmt::format("{},", features.number(feature));
        }
        records.push_back(json::array({model.name,
                                       model.alias_of,
                                       model.deprecated,
                                       model.migration_safe,
                                       std::move(unavailable)}));
    }
    return records;
}

std::vector<CpuModel> unpacked_models(const json& records, const json& features) {
    std::vector<CpuModel> models;
    models.reserve(records.size());
    for (const json& record : records) {
        CpuModel& model = models.emplace_back();
        model.name = record.at(0).get<std::string>();
        model.alias_of = record.at(1).get<std::string>();
        model.deprecated = record.at(2).get<bool>();
        model.migration_safe = record.at(3).get<bool>();
        const auto& unavailable = record.at(4).get_ref<const std::string&>();
        const char* const end = unavailable.data() + unavailable.size();
        for (const char* next = unavailable.data(); next < end; ++next) {
            std::size_t number = features.size(); // what is no number is out of range
            next = std::from_chars(next, end, number).ptr;
            model.unavailable_features.push_back(features.at(number).get<std::string>());
        }
    }
    return models;
}

/// The sets that are packed alike.
constexpr std::pair<const char*, StringSet QemuCapabilities::*> sets[] = {
    {"types", &QemuCapabilities::types},
    {"commands", &QemuCapabilities::commands},
    {"block_drivers", &QemuCapabilities::block_drivers},
    {"file_aio", &QemuCapabilities::file_aio},
    {"netdev_types", &QemuCapabilities::netdev_types},
    {"chardev_types", &QemuCapabilities::chardev_types},
    {"display_types", &QemuCapabilities::display_types},
    {"tpm_models", &QemuCapabilities::tpm_models},
    {"tpm_types", &QemuCapabilities::tpm_types},
};

json packed(const QemuCapabilities& caps) {
    json file = json::object();
    file["binary"] = caps.binary;
    file["version"] = {caps.version.major, caps.version.minor, caps.version.micro};
    file["package"] = caps.package;
    file["arch"] = caps.arch;
    file["kvm_present"] = caps.kvm_present;
    file["kvm_enabled"] = caps.kvm_enabled;
    json& machines = file["machines"] = json::array();
    for (const MachineType& machine : caps.machines) {
        machines.push_back(packed(machine));
    }
    FeatureNumbers features;
    file["kvm_cpu_models"] = packed(caps.kvm_cpu_models, features);
    file["tcg_cpu_models"] = packed(caps.tcg_cpu_models, features);
    file["features"] = features.names();
    file["kvm_host_cpu"] = caps.kvm_host_cpu;
    file["tcg_host_cpu"] = caps.tcg_host_cpu;
    for (const auto& [name, set] : sets) {
        file[name] = joined(caps.*set);
    }
    file["properties"] = joined_each(caps.properties);
    file["options"] = joined_each(caps.options);
    return file;
}

QemuCapabilities unpacked(json file) {
    QemuCapabilities caps;
    caps.binary = file.at("binary").get<std::string>();
    const json& version = file.at("version");
    caps.version.major = version.at(0).get<unsigned>();
    caps.version.minor = version.at(1).get<unsigned>();
    caps.version.micro = version.at(2).get<unsigned>();
    caps.package = file.at("package").get<std::string>();
    caps.arch = file.at("arch").get<std::string>();
    caps.kvm_present = file.at("kvm_present").get<bool>();
    caps.kvm_enabled = file.at("kvm_enabled").get<bool>();
    for (const json& machine : file.at("machines")) {
        caps.machines.push_back(unpacked_machine(machine));
    }
    const json& features = file.at("features");
    caps.kvm_cpu_models = unpacked_models(file.at("kvm_cpu_models"), features);
    caps.tcg_cpu_models = unpacked_models(file.at("tcg_cpu_models"), features);
    caps.kvm_host_cpu = std::move(file.at("kvm_host_cpu"));
    caps.tcg_host_cpu = std::move(file.at("tcg_host_cpu"));
    for (const auto& [name, set] : sets) {
        caps.*set = split(file.at(name));
    }
    caps.properties = split_each<decltype(caps.properties)>(file.at("properties"));
    caps.options = split_each<decltype(caps.options)>(file.at("options"));
    return caps;
}

} // namespace

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
    file["capabilities"] = packed(caps);
    return file.dump();
}

std::optional<QemuCapabilities> from_cache(std::string_view text, const BinaryIdentity& identity) {
    json file = json::parse(text, nullptr, false);
    try {
        if (file.is_discarded() || file.at("format") != cache_format ||
            file.at("identity").get<BinaryIdentity>() != identity) {
            return std::nullopt;
        }
        return unpacked(std::move(file.at("capabilities")));
    } catch (const json::exception&) {
        return std::nullopt; // damaged or written by another version: as good as absent
    }
}

} // namespace vireo::qemu
