// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/capabilities/probe.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/capabilities/packed_cpu.hpp"
#include "qemu-driver/capabilities/schema.hpp"

#include <algorithm>
#include <array>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Types whose properties decide something. QEMU reads a command in some 0.3 ms, so each one here
/// must be used.
constexpr std::array device_types{"virtio-blk-pci", "virtio-mem-pci", "vfio-pci"};
constexpr std::array object_types{"memory-backend-file"};

json type_argument(std::string_view type) {
    json arguments = json::object();
    arguments["typename"] = type;
    return arguments;
}

json expansion_of(std::string_view model) {
    json arguments = json::object();
    arguments["type"] = "static";
    arguments["model"]["name"] = model;
    return arguments;
}

/// With what would bind a guest to this host, as well.
json whole_expansion_of(std::string_view model) {
    json arguments = expansion_of(model);
    arguments["model"]["props"]["migratable"] = false;
    return arguments;
}

/// Null when the command was not sent or QEMU answered with an error.
const json* result(std::span<const ProbeReply> replies,
                   std::string_view execute,
                   const json& arguments = nullptr) {
    for (const ProbeReply& reply : replies) {
        if (reply.execute == execute && reply.arguments == arguments) {
            const auto found = reply.answer.find("return");
            return found == reply.answer.end() ? nullptr : &*found;
        }
    }
    return nullptr;
}

const json& required(std::span<const ProbeReply> replies, std::string_view execute) {
    const json* found = result(replies, execute);
    if (!found) {
        throw Error(ErrorCode::operation_failed, "QEMU did not answer '{}'", execute);
    }
    return *found;
}

std::string without_suffix(std::string text, std::string_view suffix) {
    if (text.ends_with(suffix)) {
        text.resize(text.size() - suffix.size());
    }
    return text;
}

std::vector<MachineType> read_machines(const json& list, std::string_view arch) {
    const std::string suffix = fmt::format("-{}-cpu", arch);
    std::vector<MachineType> machines;
    for (const json& entry : list) {
        MachineType machine;
        machine.name = entry.at("name").get<std::string>();
        if (machine.name == "none") {
            continue;
        }
        machine.alias = entry.value("alias", "");
        machine.default_cpu = without_suffix(entry.value("default-cpu-type", ""), suffix);
        machine.default_ram_id = entry.value("default-ram-id", "");
        machine.max_cpus = entry.value("cpu-max", 1U);
        machine.hotpluggable_cpus = entry.value("hotpluggable-cpus", false);
        machine.numa_memory_supported = entry.value("numa-mem-supported", false);
        machine.deprecated = entry.value("deprecated", false);
        machine.is_default = entry.value("is-default", false);
        machines.push_back(std::move(machine));
    }
    return machines;
}

std::vector<CpuModel> read_cpu_models(const json& list) {
    std::vector<CpuModel> models;
    for (const json& entry : list) {
        CpuModel model;
        model.name = entry.at("name").get<std::string>();
        model.alias_of = entry.value("alias-of", "");
        model.deprecated = entry.value("deprecated", false);
        model.migration_safe = entry.value("migration-safe", false);
        model.unavailable_features =
            entry.value("unavailable-features", std::vector<std::string>());
        models.push_back(std::move(model));
    }
    return models;
}

StringSet names_in(const json& list, const char* key = "name") {
    StringSet names;
    for (const json& entry : list) {
        names.insert(entry.at(key).get<std::string>());
    }
    return names;
}

/// Machines and CPU models are types too, hundreds of them, and are listed with more detail by
/// their own commands.
StringSet read_types(const json& list) {
    StringSet types;
    for (const json& entry : list) {
        auto name = entry.at("name").get<std::string>();
        if (!name.ends_with("-machine") && !name.ends_with("-cpu")) {
            types.insert(std::move(name));
        }
    }
    return types;
}

std::optional<CpuFacts> expanded_model(std::span<const ProbeReply> replies, const json& arguments) {
    const json* expansion = result(replies, "query-cpu-model-expansion", arguments);
    return expansion ? std::optional(cpu_facts(expansion->at("model").at("props"))) : std::nullopt;
}

json packed_host_cpu(std::span<const ProbeReply> replies, std::string_view model) {
    const auto migratable = expanded_model(replies, expansion_of(model));
    const auto all = expanded_model(replies, whole_expansion_of(model));
    if (!migratable) {
        return nullptr;
    }
    return packed(HostCpuFacts{all ? *all : *migratable, migratable->features});
}

void read_schema(QemuCapabilities& caps, const json& reply) {
    const SchemaView schema(reply);
    caps.commands = schema.commands();
    caps.block_drivers = schema.enum_values("blockdev-add", {"driver"});
    caps.file_aio = schema.enum_values("blockdev-add", {"+file", "aio"});
    caps.netdev_types = schema.enum_values("netdev_add", {"type"});
    caps.chardev_types = schema.enum_values("chardev-add", {"backend", "type"});
    caps.display_types = schema.enum_values("query-display-options", {"type"}, true);
}

void read_properties(QemuCapabilities& caps, std::span<const ProbeReply> replies) {
    for (const char* type : device_types) {
        if (const json* list = result(replies, "device-list-properties", type_argument(type))) {
            caps.properties[type] = names_in(*list);
        }
    }
    for (const char* type : object_types) {
        if (const json* list = result(replies, "qom-list-properties", type_argument(type))) {
            caps.properties[type] = names_in(*list);
        }
    }
}

void read_options(QemuCapabilities& caps, const json& list) {
    for (const json& entry : list) {
        const auto option = entry.at("option").get<std::string>();
        if (!option.empty()) {
            caps.options[option].merge(names_in(entry.at("parameters")));
        }
    }
}

} // namespace

std::vector<ProbeCommand> model_commands(std::span<const ProbeReply> definitions) {
    std::vector<ProbeCommand> commands;
    for (const CpuModel& model : read_cpu_models(required(definitions, "query-cpu-definitions"))) {
        if (is_named_model(model.name)) {
            commands.push_back({"query-cpu-model-expansion", expansion_of(model.name)});
        }
    }
    return commands;
}

namespace {

/// What QEMU gives or takes whatever the model says.
void drop_uncounted(CpuFeatures& features) {
    for (std::size_t i = 0; i < cpu_feature_names().size(); ++i) {
        if (!is_of_models(i)) {
            features.reset(i);
        }
    }
}

} // namespace

CpuModels models_from_replies(std::span<const ProbeReply> replies) try {
    CpuModels models;
    for (const ProbeReply& reply : replies) {
        const auto expansion = reply.answer.find("return");
        if (expansion != reply.answer.end()) { // an error: not under this accelerator
            NamedCpu& named = models.emplace_back();
            named.name = reply.arguments.at("model").at("name").get<std::string>();
            named.facts = cpu_facts(expansion->at("model").at("props"));
            drop_uncounted(named.facts.features);
        }
    }
    return models;

} catch (const json::exception& e) {

    throw Error(
        ErrorCode::operation_failed, "QEMU's answer has another form than expected: {}", e.what());
}

std::vector<std::string> probe_arguments(ProbeRun run) {
    return {"-S",
            "-no-user-config",
            "-nodefaults",
            "-nographic",
            "-machine",
            run == ProbeRun::tcg_only ? "none,accel=tcg" : "none,accel=kvm:tcg",
            "-qmp",
            "stdio"};
}

std::vector<ProbeCommand> probe_commands(ProbeRun run) {
    std::vector<ProbeCommand> commands;
    if (run == ProbeRun::tcg_only) {
        commands.push_back({"query-cpu-definitions", nullptr});
        commands.push_back({"query-cpu-model-expansion", expansion_of("max")});
        commands.push_back({"query-cpu-model-expansion", whole_expansion_of("max")});
        return commands;
    }
    for (const char* plain : {"query-version",
                              "query-target",
                              "query-kvm",
                              "query-qmp-schema",
                              "qom-list-types",
                              "query-machines",
                              "query-cpu-definitions",
                              "query-command-line-options",
                              "query-tpm-models",
                              "query-tpm-types",
                              "query-sgx-capabilities"}) {
        commands.push_back({plain, nullptr});
    }
    for (const char* model : {"host", "max"}) {
        commands.push_back({"query-cpu-model-expansion", expansion_of(model)});
        commands.push_back({"query-cpu-model-expansion", whole_expansion_of(model)});
    }
    for (const char* type : device_types) {
        commands.push_back({"device-list-properties", type_argument(type)});
    }
    for (const char* type : object_types) {
        commands.push_back({"qom-list-properties", type_argument(type)});
    }
    return commands;
}

QemuCapabilities capabilities_from_replies(std::string binary,
                                           std::span<const ProbeReply> first,
                                           std::span<const ProbeReply> tcg) try {
    QemuCapabilities caps;
    caps.binary = std::move(binary);

    const json& version = required(first, "query-version");
    const json& number = version.at("qemu");
    caps.version = {number.at("major").get<unsigned>(), number.at("minor"), number.at("micro")};
    caps.package = version.value("package", "");
    caps.arch = required(first, "query-target").at("arch").get<std::string>();

    if (const json* kvm = result(first, "query-kvm")) {
        caps.kvm_present = kvm->value("present", false);
        caps.kvm_enabled = kvm->value("enabled", false);
    }
    read_schema(caps, required(first, "query-qmp-schema"));
    caps.types = read_types(required(first, "qom-list-types"));
    if (result(first, "query-sgx-capabilities") == nullptr) {
        caps.types.erase("sgx-epc"); // QEMU has it, the host does not give it
    }
    caps.machines = read_machines(required(first, "query-machines"), caps.arch);
    read_options(caps, required(first, "query-command-line-options"));
    read_properties(caps, first);
    for (const auto& [command, set] : {std::pair("query-tpm-models", &caps.tpm_models),
                                       std::pair("query-tpm-types", &caps.tpm_types)}) {
        if (const json* list = result(first, command)) {
            *set = list->get<StringSet>();
        }
    }

    const auto models = read_cpu_models(required(first, "query-cpu-definitions"));
    if (caps.kvm_enabled) {
        caps.kvm_cpu_models = models;
        caps.kvm_host_cpu = packed_host_cpu(first, "host");
        if (const json* list = result(tcg, "query-cpu-definitions")) {
            caps.tcg_cpu_models = read_cpu_models(*list);
        }
        caps.tcg_host_cpu = packed_host_cpu(tcg, "max");
    } else {
        caps.tcg_cpu_models = models;
        caps.tcg_host_cpu = packed_host_cpu(first, "max");
    }
    return caps;

} catch (const json::exception& e) {

    throw Error(
        ErrorCode::operation_failed, "QEMU's answer has another form than expected: {}", e.what());
}

void require_supported(const QemuCapabilities& caps) {
    // JSON for -netdev was the last of the JSON options to come, in the release that brought these
    // two network back ends; the command line itself is not in the schema.
    if (!caps.netdev_types.contains("dgram") || !caps.netdev_types.contains("stream")) {
        throw Error(ErrorCode::config_unsupported,
                    "'{}' is QEMU {}.{}.{}, at least 7.2 is needed",
                    caps.binary,
                    caps.version.major,
                    caps.version.minor,
                    caps.version.micro);
    }
}

} // namespace vireo::qemu
