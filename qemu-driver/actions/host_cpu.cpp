// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/actions/host_cpu.hpp"

#include "libshared/xml/parse.hpp"
#include "qemu-driver/documents.hpp"
#include "qemu-driver/guest_cpu_of_host.hpp"

namespace vireo::qemu::actions {

namespace {

// virConnectCompareCPUFlags
constexpr std::uint32_t fail_flag = 1;
constexpr std::uint32_t compare_validate_flag = 2;
// virConnectBaselineCPUFlags
constexpr std::uint32_t expand_flag = 1;
constexpr std::uint32_t baseline_migratable_flag = 2;

void require_cpu_flags(std::uint32_t flags, std::uint32_t known, const char* what) {
    if ((flags & ~known) != 0) {
        throw Error(
            ErrorCode::invalid_arg, "unsupported flags ({:#x}) to {}", flags & ~known, what);
    }
}

/// The `<cpu>` of the document; that of domain capabilities is its host-model.
std::optional<xml::Node> cpu_of(const xml::Node& root) {
    if (root.name() == "cpu") {
        return root;
    }
    if (root.name() == "capabilities") {
        const auto host = root.child("host");
        return host ? host->child("cpu") : std::nullopt;
    }
    const auto cpu = root.child("cpu");
    if (root.name() != "domainCapabilities" || !cpu) {
        return cpu;
    }
    for (auto mode = cpu->first(); mode; mode = mode->next()) {
        if (mode->attribute("name") == "host-model") {
            return mode;
        }
    }
    return std::nullopt;
}

/// A host's `<cpu>` has more than a guest's (`<arch>`, `<pages>`): it is passed over.
CpuDef read_cpu(const std::string& text, xml::Unknown unknown) {
    const xml::Document document = xml::Document::parse(text);
    const auto node = cpu_of(document.root());
    if (!node) {
        throw Error(ErrorCode::xml_error,
                    "line {}: <{}> holds no <cpu>",
                    document.root().line(),
                    document.root().name());
    }
    if (const auto arch = node->child("arch"); arch && arch->text() != "x86_64") {
        throw Error(ErrorCode::config_unsupported,
                    "line {}: <arch>: '{}' is not supported; 'x86_64' is",
                    arch->line(),
                    arch->text());
    }
    CpuDef cpu;
    xml::Problems problems(unknown, nullptr);
    xml::read(cpu, *node, problems);
    problems.raise();
    cpu.where.line = node->line();
    return cpu;
}

Task<HostCpuModels> best_models(Driver& driver) {
    std::string emulator = default_emulator();
    auto capabilities = co_await driver.capabilities.get(std::move(emulator));
    const bool kvm = capabilities->kvm_enabled;
    auto asking = host_cpu_models(driver, std::move(capabilities), kvm);
    co_return co_await std::move(asking);
}

} // namespace

Task<std::int32_t> compare_cpu(Driver& driver, std::string xml, std::uint32_t flags) {
    require_cpu_flags(flags, fail_flag | compare_validate_flag, "compare a CPU");
    const bool validates = (flags & compare_validate_flag) != 0;
    const CpuDef cpu = read_cpu(xml, validates ? xml::Unknown::refuse : xml::Unknown::report);
    const HostCpuModels models = co_await best_models(driver);
    const CpuVerdict verdict = qemu::compare_cpu(cpu, models.host());
    if (verdict.result == CpuComparison::incompatible && (flags & fail_flag) != 0) {
        throw Error(ErrorCode::cpu_incompatible, "{}", verdict.why);
    }
    co_return static_cast<std::int32_t>(verdict.result);
}

Task<std::string> baseline_cpu(Driver& driver, std::vector<std::string> xmls, std::uint32_t flags) {
    require_cpu_flags(flags, expand_flag | baseline_migratable_flag, "find a common CPU");
    if (xmls.empty()) {
        throw Error(ErrorCode::invalid_arg, "no CPU is given");
    }
    std::vector<CpuDef> cpus;
    for (const std::string& text : xmls) {
        CpuDef cpu = read_cpu(text, xml::Unknown::report);
        if (!cpu.model || cpu.model->name.empty()) {
            throw Error(ErrorCode::invalid_arg, "CPU {}: it names no <model>", cpus.size() + 1);
        }
        cpus.push_back(std::move(cpu));
    }
    const HostCpuModels models = co_await best_models(driver);
    const bool expand = (flags & expand_flag) != 0;
    const bool migratable = (flags & baseline_migratable_flag) != 0;
    co_return xml::format(qemu::baseline_cpu(cpus, models.host(), expand, migratable));
}

} // namespace vireo::qemu::actions
