// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_machine.hpp"

#include "libshared/error.hpp"
#include "qemu-driver/devices/disk_nodes.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_numa.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

const TimerDef* timer(const ClockDef& clock, TimerName name) {
    for (const TimerDef& timer : clock.timers) {
        if (timer.name == name) {
            return &timer;
        }
    }
    return nullptr;
}

void add_features(const PlanContext& context, OptionText& text) {
    if (!context.def.features) {
        return;
    }
    const FeaturesDef& features = *context.def.features;
    if (features.vmport) {
        text.on_off("vmport", *features.vmport == OnOff::on);
    }
    if (features.smm && features.smm->state) {
        text.on_off("smm", *features.smm->state == OnOff::on);
    }
    if (features.ioapic) {
        text.add("kernel_irqchip", *features.ioapic == IoapicDriver::kvm ? "on" : "split");
    }
}

void add_memory_options(const PlanContext& context, OptionText& text) {
    const DomainDef& def = context.def;
    const auto& dump = def.memory.dump_core;
    text.on_off("dump-guest-core",
                dump ? *dump == OnOff::on : context.facts.settings.dump_guest_core);
    if (def.memory_backing && def.memory_backing->nosharepages) {
        text.on_off("mem-merge", false);
    }
    if (has_main_memory_backend(context)) {
        text.add("memory-backend", main_memory_id(context));
    }
}

void add_timers(const PlanContext& context, OptionText& text) {
    const TimerDef* hpet = timer(context.def.clock, TimerName::hpet);
    if (!hpet || !hpet->present) {
        return;
    }
    text.on_off("hpet", *hpet->present == YesNo::yes);
}

NodeNames flash_names(unsigned unit) {
    return node_names(fmt::format("libvirt-pflash{}", unit));
}

/// Where the firmware keeps its variables, if anywhere.
std::optional<DiskImage> variables(const OsDef& os) {
    if (!os.nvram) {
        return std::nullopt;
    }
    DiskImage storage = os.nvram->storage();
    return storage.is_empty() ? std::nullopt : std::optional(std::move(storage));
}

bool has_flash(const OsDef& os) {
    return os.loader && os.loader->path && os.loader->type == LoaderType::pflash;
}

void add_flash(const OsDef& os, OptionText& text) {
    if (has_flash(os)) {
        text.add("pflash0", flash_names(0).format);
        if (variables(os)) {
            text.add("pflash1", flash_names(1).format);
        }
    }
}

std::string accelerator(const PlanContext& context) {
    const DomainDef& def = context.def;
    if (!context.kvm()) {
        OptionText text("tcg");
        if (def.features && def.features->tcg_tb_cache_kib) {
            text.add("tb-size", *def.features->tcg_tb_cache_kib / 1024);
        }
        return text.take();
    }
    if (!context.caps.kvm_enabled) {
        throw Error(ErrorCode::config_unsupported,
                    "domain type 'kvm': KVM does not work on this host");
    }
    OptionText text("kvm");
    if (def.features && def.features->kvm && def.features->kvm->dirty_ring &&
        def.features->kvm->dirty_ring->state == OnOff::on) {
        text.add("dirty-ring-size", uint64_t{def.features->kvm->dirty_ring->size.value_or(0)});
    }
    return text.take();
}

} // namespace

Plan plan_firmware(const PlanContext& context) {
    const OsDef& os = context.def.os;
    if (!has_flash(os)) {
        return {};
    }
    DiskImage code;
    FileSource file;
    file.path = *os.loader->path;
    code.source = std::move(file);
    code.format = os.loader->format.value_or(DiskFormat::raw);
    NodeOptions options;
    options.read_only = os.loader->readonly == YesNo::yes;
    Plan plan = plan_image(context, code, flash_names(0), options);
    if (auto storage = variables(os)) {
        storage->format = os.nvram->format.value_or(DiskFormat::raw);
        append(plan, plan_image(context, *storage, flash_names(1), {}));
    }
    return plan;
}

Plan plan_machine(const PlanContext& context) {
    const DomainDef& def = context.def;
    const std::string machine = def.os.machine.value_or("");
    if (!context.caps.machine(machine)) {
        throw Error(ErrorCode::config_unsupported,
                    "os type machine='{}': '{}' does not have it",
                    machine,
                    context.caps.binary);
    }
    OptionText text(machine);
    text.on_off("usb", false);
    add_features(context, text);
    add_memory_options(context, text);
    const auto& memories = def.devices.memories;
    if (std::any_of(memories.begin(), memories.end(), [](const MemoryDeviceDef& memory) {
            return memory.model == MemoryDeviceModel::nvdimm;
        })) {
        text.on_off("nvdimm", true);
    }
    if (has_memory_attributes(def)) {
        text.on_off("hmat", true);
    }
    add_enclave_memory(def, text);
    if (const auto audio = audio_for_speaker(context)) {
        text.add("pcspk-audiodev", *audio);
    }
    if (def.launch_security) {
        text.add("confidential-guest-support", "lsec0");
    }
    add_flash(def.os, text);
    add_timers(context, text);
    if (def.os.bios && def.os.bios->use_serial == YesNo::yes) {
        text.on_off("graphics", false);
    }
    Plan plan;
    plan.push_back(option_step("-machine", text.take()));
    plan.push_back(option_step("-accel", accelerator(context)));
    return plan;
}

Plan plan_boot(const PlanContext& context) {
    const DomainDef& def = context.def;
    const OsDef& os = def.os;
    Plan plan;
    plan.push_back(flag_step("-no-shutdown"));
    if (!def.features || !def.features->acpi) {
        // QEMU 9.0 took the option out; the machine property is no older than the schema that
        // could tell, so the version decides here.
        if (context.caps.version.major < 9) {
            plan.push_back(flag_step("-no-acpi"));
        } else {
            plan.push_back(option_step("-machine", "acpi=off"));
        }
    }
    const char* power = os.is_q35() ? "ICH9-LPC" : "PIIX4_PM";
    if (def.pm && def.pm->suspend_to_mem) {
        plan.push_back(option_step(
            "-global",
            fmt::format("{}.disable_s3={}", power, int(*def.pm->suspend_to_mem == YesNo::no))));
    }
    if (def.pm && def.pm->suspend_to_disk) {
        plan.push_back(option_step(
            "-global",
            fmt::format("{}.disable_s4={}", power, int(*def.pm->suspend_to_disk == YesNo::no))));
    }
    if (def.features && def.features->smm && def.features->smm->tseg_bytes) {
        if (!os.is_q35()) {
            throw Error(ErrorCode::config_unsupported, "features/smm/tseg needs a q35 machine");
        }
        constexpr uint64_t mib = 1024 * 1024;
        plan.push_back(option_step(
            "-global",
            fmt::format("mch.extended-tseg-mbytes={}", *def.features->smm->tseg_bytes / mib)));
    }
    OptionText boot;
    if (os.boot_menu && os.boot_menu->enable) {
        boot.on_off("menu", *os.boot_menu->enable == YesNo::yes);
        if (*os.boot_menu->enable == YesNo::yes && os.boot_menu->timeout_ms) {
            boot.add("splash-time", uint64_t{*os.boot_menu->timeout_ms});
        }
    }
    if (os.bios && os.bios->reboot_timeout_ms) {
        boot.add("reboot-timeout", std::to_string(*os.bios->reboot_timeout_ms));
    }
    boot.on_off("strict", true);
    plan.push_back(option_step("-boot", boot.take()));
    if (os.loader && os.loader->path && !has_flash(os)) {
        plan.push_back(option_step("-bios", *os.loader->path));
    }
    if (has_flash(os) && os.loader->secure == YesNo::yes) {
        plan.push_back(option_step("-global", "driver=cfi.pflash01,property=secure,value=on"));
    }
    const std::pair<const char*, const std::optional<std::string>*> files[] = {
        {"-kernel", &os.kernel},
        {"-initrd", &os.initrd},
        {"-append", &os.cmdline},
        {"-dtb", &os.dtb}};
    for (const auto& [option, value] : files) {
        if (*value) {
            plan.push_back(option_step(option, **value));
        }
    }
    for (const AcpiTable& table : os.acpi_tables) {
        if (table.type != "slic") {
            throw Error(ErrorCode::config_unsupported,
                        "os acpi table type '{}' is not supported",
                        table.type);
        }
        plan.push_back(option_step("-acpitable",
                                   OptionText().add("sig", "SLIC").add("file", table.path).take()));
    }
    return plan;
}

} // namespace vireo::qemu
