// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_devices.hpp"

#include <fmt/format.h>

#include <variant>

namespace vireo::qemu {

using nlohmann::json;

namespace {

void require_backend(const PlanContext& context, std::string_view type) {
    if (!context.caps.tpm_types.contains(type)) {
        throw Error(ErrorCode::config_unsupported,
                    "tpm backend: '{}' was built without '{}'",
                    context.caps.binary,
                    type);
    }
}

/// The host's side, one function for each kind; the TPM's own options have no counterpart in QMP.
class TpmBackendPlanner {
  public:
    TpmBackendPlanner(const PlanContext& context, const std::string& alias)
        : context_(context), alias_(alias) {}

    Plan operator()(const PassthroughTpm& host) const {
        require_backend(context_, "passthrough");
        const std::string path = host.path.value_or("/dev/tpm0");
        Plan plan;
        OptionText text = backend("passthrough");
        text.add("path", pass(DescriptorKind::file_read_write, path, "tpm", plan));
        text.add("cancel-path", pass(DescriptorKind::tpm_cancel, path, "cancel", plan));
        plan.push_back(option_step("-tpmdev", text.take()));
        return plan;
    }

    Plan operator()(const EmulatorTpm& wish) const {
        const TpmVersion version = wish.version.value_or(TpmVersion::v2_0);
        if (context_.facts.tpm_socket && !context_.facts.tpm_versions.contains(version)) {
            throw Error(ErrorCode::config_unsupported,
                        "tpm backend version '{}': the host's TPM emulator does not play it",
                        name_of(version));
        }
        if (!context_.facts.tpm_socket) {
            throw Error(ErrorCode::config_unsupported, "tpm: no TPM emulator runs for this guest");
        }
        return emulator(*context_.facts.tpm_socket);
    }

    Plan operator()(const ExternalTpm& external) const { return emulator(external.path); }

  private:
    OptionText backend(const char* type) const {
        OptionText text(type);
        text.add("id", "tpm-" + alias_);
        return text;
    }

    std::string
    pass(DescriptorKind kind, const std::string& path, const char* role, Plan& plan) const {
        Descriptor descriptor;
        descriptor.kind = kind;
        descriptor.path = path;
        descriptor.owner = alias_;
        return context_.descriptors.pass_as_path(
            std::move(descriptor), plan, fmt::format("{}-{}", alias_, role));
    }

    Plan emulator(const std::string& socket) const {
        require_backend(context_, "emulator");
        const ChardevNames names{"chrtpm", alias_, {}};
        Plan plan = plan_chardev(context_, socket_client(socket), names);
        plan.push_back(option_step("-tpmdev", backend("emulator").add("chardev", names.id).take()));
        return plan;
    }

    const PlanContext& context_;
    const std::string& alias_;
};

} // namespace

Plan plan_tpm(const PlanContext& context, const TpmDef& tpm) {
    const std::string& alias = alias_of(tpm.info);
    const auto model = name_of(tpm.model.value_or(TpmModel::tpm_tis));
    if (!context.caps.tpm_models.contains(model)) {
        throw Error(ErrorCode::config_unsupported,
                    "tpm model '{}': '{}' does not have it",
                    model,
                    context.caps.binary);
    }
    Plan plan = std::visit(TpmBackendPlanner(context, alias), tpm.backend);
    json device = json::object();
    device["driver"] = model;
    device["tpmdev"] = "tpm-" + alias;
    device["id"] = alias;
    plan.push_back(device_step(std::move(device)));
    return plan;
}

} // namespace vireo::qemu
