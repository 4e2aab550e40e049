// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"

#include <span>

namespace vireo::qemu {

/// A QEMU is probed without a machine, over QMP on its standard input and output: run it with
/// `probe_arguments(run)`, do `qmp_capabilities`, send `probe_commands(run)` one after another,
/// then `quit`. The first run takes KVM when it works and TCG otherwise. Only when its reply to
/// `query-kvm` says "enabled" a second run learns TCG's CPU models.
enum class ProbeRun { best_accelerator, tcg_only };

struct ProbeCommand {
    std::string execute;
    nlohmann::json arguments; ///< null when there are none
};

/// A command and QEMU's whole answer: an object with "return" or "error". An error means "does
/// not have it" wherever a QEMU may lack what is asked.
struct ProbeReply {
    std::string execute;
    nlohmann::json arguments;
    nlohmann::json answer;
};

/// The arguments after the binary's path.
std::vector<std::string> probe_arguments(ProbeRun run);
std::vector<ProbeCommand> probe_commands(ProbeRun run);

/// Builds the capabilities from the replies of the first run and, where there was one, the
/// second. Throws operation_failed when a reply without which nothing works is missing, an
/// error or of another form.
QemuCapabilities capabilities_from_replies(std::string binary,
                                           std::span<const ProbeReply> first,
                                           std::span<const ProbeReply> tcg = {});

/// What to ask for the features of each named CPU model, once the reply to `query-cpu-definitions`
/// is there. Throws operation_failed where it is not.
std::vector<ProbeCommand> model_commands(std::span<const ProbeReply> definitions);
/// The models of those replies. A model that QEMU does not expand is left out.
CpuModels models_from_replies(std::span<const ProbeReply> replies);

/// Throws config_unsupported, with the version found, when this QEMU lacks what every command line
/// of ours needs (JSON for -device, -netdev, -blockdev and -object: QEMU 7.2).
void require_supported(const QemuCapabilities& caps);

} // namespace vireo::qemu
