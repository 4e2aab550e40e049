// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/capabilities/cpu_features.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

namespace {

std::string default_model(const PlanContext& context) {
    const MachineType* machine = context.caps.machine(context.def.os.machine.value_or(""));
    if (!machine || machine->default_cpu.empty()) {
        throw Error(ErrorCode::config_unsupported,
                    "cpu: machine '{}' has no default CPU, name a model",
                    context.def.os.machine.value_or(""));
    }
    return machine->default_cpu;
}

std::string custom_model(const PlanContext& context, const CpuDef& cpu) {
    if (!cpu.model || cpu.model->name.empty()) {
        return default_model(context);
    }
    const std::string& name = cpu.model->name;
    const auto& known = context.caps.cpu_models(context.kvm());
    const auto found = std::find_if(
        known.begin(), known.end(), [&](const CpuModel& model) { return model.name == name; });
    if (found == known.end()) {
        throw Error(ErrorCode::config_unsupported,
                    "cpu model '{}': '{}' does not have it",
                    name,
                    context.caps.binary);
    }
    return name;
}

std::string model_name(const PlanContext& context, const CpuDef& cpu) {
    switch (cpu.mode.value_or(CpuMode::custom)) {
    case CpuMode::host_passthrough:
        if (!context.kvm()) {
            throw Error(ErrorCode::config_unsupported,
                        "cpu mode 'host-passthrough' needs domain type 'kvm'");
        }
        return "host";
    case CpuMode::maximum:
        return "max";
    case CpuMode::host_model:
        throw Error(ErrorCode::config_unsupported,
                    "cpu mode 'host-model': it is not known what guests of this host can have");
    case CpuMode::custom:
        break;
    }
    return custom_model(context, cpu);
}

void add_cache(const CpuDef& cpu, OptionText& text) {
    if (!cpu.cache) {
        return;
    }
    const bool emulate = cpu.cache->mode == CpuCacheMode::emulate;
    const bool passthrough = cpu.cache->mode == CpuCacheMode::passthrough;
    const bool host = cpu.mode == CpuMode::host_passthrough || cpu.mode == CpuMode::maximum;
    text.on_off("l3-cache", emulate);
    if (host) {
        text.on_off("host-cache-info", passthrough);
    }
}

void add_phys_bits(const CpuDef& cpu, OptionText& text) {
    if (!cpu.phys_bits) {
        return;
    }
    if (cpu.phys_bits->mode == PhysBitsMode::passthrough) {
        text.on_off("host-phys-bits", true);
        if (cpu.phys_bits->limit) {
            text.add("host-phys-bits-limit", uint64_t{*cpu.phys_bits->limit});
        }
    } else if (cpu.phys_bits->bits) {
        text.add("phys-bits", uint64_t{*cpu.phys_bits->bits});
    }
}

void add_features(const CpuDef& cpu, OptionText& text) {
    for (const CpuFeature& feature : cpu.features) {
        switch (feature.policy.value_or(CpuFeaturePolicy::require)) {
        case CpuFeaturePolicy::force:
        case CpuFeaturePolicy::require:
            text.on_off(qemu_feature(feature.name), true);
            break;
        case CpuFeaturePolicy::disable:
        case CpuFeaturePolicy::forbid:
            text.on_off(qemu_feature(feature.name), false);
            break;
        case CpuFeaturePolicy::optional:
            break;
        }
    }
}

void add_timers(const ClockDef& clock, OptionText& text) {
    for (const TimerDef& timer : clock.timers) {
        switch (timer.name) {
        case TimerName::kvmclock:
            if (timer.present) {
                text.on_off("kvmclock", *timer.present == YesNo::yes);
            }
            break;
        case TimerName::hypervclock:
            if (timer.present == YesNo::yes) {
                text.on_off("hv-time", true);
            }
            break;
        case TimerName::tsc:
            if (timer.frequency_hz) {
                text.add("tsc-frequency", *timer.frequency_hz);
            }
            break;
        default:
            break;
        }
    }
}

void add_if_on(OptionText& text, const char* name, const std::optional<OnOff>& state) {
    if (state == OnOff::on) {
        text.on_off(name, true);
    }
}

void add_hyperv(const HypervFeatures& hyperv, OptionText& text) {
    if (hyperv.mode == HypervMode::passthrough) {
        text.on_off("hv-passthrough", true);
        return;
    }
    add_if_on(text, "hv-relaxed", hyperv.relaxed);
    add_if_on(text, "hv-vapic", hyperv.vapic);
    if (hyperv.spinlocks && hyperv.spinlocks->state == OnOff::on) {
        text.add("hv-spinlocks", fmt::format("{:#x}", hyperv.spinlocks->retries.value_or(0)));
    }
    add_if_on(text, "hv-vpindex", hyperv.vpindex);
    add_if_on(text, "hv-runtime", hyperv.runtime);
    add_if_on(text, "hv-synic", hyperv.synic);
    if (hyperv.stimer && hyperv.stimer->state == OnOff::on) {
        text.on_off("hv-stimer", true);
        add_if_on(text, "hv-stimer-direct", hyperv.stimer->direct);
    }
    add_if_on(text, "hv-reset", hyperv.reset);
    if (hyperv.vendor_id && hyperv.vendor_id->state == OnOff::on) {
        text.add("hv-vendor-id", hyperv.vendor_id->value.value_or(""));
    }
    add_if_on(text, "hv-frequencies", hyperv.frequencies);
    add_if_on(text, "hv-reenlightenment", hyperv.reenlightenment);
    add_if_on(text, "hv-tlbflush", hyperv.tlbflush);
    add_if_on(text, "hv-ipi", hyperv.ipi);
    add_if_on(text, "hv-evmcs", hyperv.evmcs);
    add_if_on(text, "hv-avic", hyperv.avic);
}

void add_kvm(const KvmFeatures& kvm, OptionText& text) {
    if (kvm.hidden == OnOff::on) {
        text.on_off("kvm", false);
    }
    add_if_on(text, "kvm-hint-dedicated", kvm.hint_dedicated);
    add_if_on(text, "kvm-poll-control", kvm.poll_control);
    if (kvm.pv_ipi == OnOff::off) {
        text.on_off("kvm-pv-ipi", false);
    }
}

void add_platform(const FeaturesDef& features, OptionText& text) {
    if (features.apic && features.apic->eoi) {
        text.on_off("kvm-pv-eoi", *features.apic->eoi == OnOff::on);
    }
    if (features.pvspinlock) {
        text.on_off("kvm-pv-unhalt", features.pvspinlock->state != OnOff::off);
    }
    if (features.hyperv) {
        add_hyperv(*features.hyperv, text);
    }
    if (features.kvm) {
        add_kvm(*features.kvm, text);
    }
    if (features.pmu) {
        text.on_off("pmu", *features.pmu == OnOff::on);
    }
}

} // namespace

Plan plan_cpu(const PlanContext& context) {
    static const CpuDef none;
    const CpuDef& cpu = context.def.cpu ? *context.def.cpu : none;
    OptionText text(model_name(context, cpu));
    if (cpu.migratable) {
        text.on_off("migratable", *cpu.migratable == OnOff::on);
    }
    if (cpu.model && cpu.model->vendor_id) {
        text.add("vendor", *cpu.model->vendor_id);
    }
    add_features(cpu, text);
    add_timers(context.def.clock, text);
    if (context.def.features) {
        add_platform(*context.def.features, text);
    }
    for (const PanicDef& panic : context.def.devices.panics) {
        if (panic.model == PanicModel::hyperv) {
            text.word("hv-crash");
        }
    }
    add_cache(cpu, text);
    add_phys_bits(cpu, text);
    return {option_step("-cpu", text.take())};
}

} // namespace vireo::qemu
