// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "qemu-driver/capabilities/cpu_models.hpp"
#include "qemu-driver/capabilities/qemu_capabilities.hpp"
#include "qemu-driver/model/cpu_def.hpp"

/// A guest's `<cpu>` and the processors that guests of this host can have. Errors name the element,
/// its line, and the features.
namespace vireo::qemu {

/// What a guest's CPU is measured by. What it refers to outlives it.
struct CpuHost {
    HostCpuFacts cpu;
    std::span<const CpuModel> definitions; ///< QEMU's models under the guest's accelerator
    const CpuModels& models;               ///< empty where needs_cpu_models() says so
};

/// Whether resolve_cpu() has to know what named models have.
bool needs_cpu_models(const CpuDef& cpu);

/// Makes of what the document leaves to the host (`host-model`, match='minimum', optional features)
/// a model and features of its own, for a start; checks before that, where check='partial' or
/// 'full', that guests of this host can have what is asked. Throws cpu_incompatible with the
/// features that are missing, forbidden or too much; config_unsupported for a model that QEMU
/// lacks.
void resolve_cpu(CpuDef& cpu, const CpuHost& host);

/// The numbers of virCPUCompareResult.
enum class CpuComparison { incompatible = 0, identical = 1, superset = 2 };

struct CpuVerdict {
    CpuComparison result = CpuComparison::identical;
    std::string why; ///< where it is incompatible
};

/// Whether the host's processor has all that `cpu` asks for, and more. Throws config_unsupported
/// for a model that QEMU lacks.
CpuVerdict compare_cpu(const CpuDef& cpu, const CpuHost& host);

/// The processor that `cpu` describes, as far as it names features that are known here. The same
/// error.
CpuFacts described_cpu(const CpuDef& cpu, const CpuHost& host);

/// The richest CPU that every one of `cpus` (with a model each, none of them empty) can run. With
/// `expand`, the model's own features are listed, too; with `migratable`, without those that bind
/// a guest to its host. Throws operation_failed where their vendors differ or they have nothing in
/// common.
CpuDef
baseline_cpu(std::span<const CpuDef> cpus, const CpuHost& host, bool expand, bool migratable);

/// What the host is in the words of a document, for a guest that may leave it (`migratable`) or
/// not; nothing where QEMU has no model that could describe it.
std::optional<CpuChoice> host_model(const CpuHost& host, bool migratable);

/// The element of a choice: model, vendor, features.
CpuDef cpu_def_of(const CpuChoice& choice);

} // namespace vireo::qemu
