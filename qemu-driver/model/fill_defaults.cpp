// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/fill_defaults.hpp"

#include "qemu-driver/model/metadata.hpp"
#include "qemu-driver/model/refusals.hpp"

#include <algorithm>
#include <numeric>

namespace vireo::qemu {

namespace {

/// Cells say how much memory there is where <memory> does not, or a new guest is defined.
void fill_memory(DomainDef& def, const PassOptions& options) {
    uint64_t devices = 0;
    for (const MemoryDeviceDef& memory : def.devices.memories) {
        devices += memory.size_kib;
    }
    if (def.cpu && !def.cpu->cells.empty() &&
        (options.new_definition || def.memory.total_kib == 0)) {
        const uint64_t cells =
            std::accumulate(def.cpu->cells.begin(),
                            def.cpu->cells.end(),
                            uint64_t{0},
                            [](uint64_t sum, const NumaCell& c) { return sum + c.memory_kib; });
        if (cells != 0) {
            def.memory.total_kib = cells + devices;
        }
    }
    auto& current = def.memory.current_kib;
    if (!current || *current == 0 || *current > def.memory.total_kib) {
        current = def.memory.total_kib;
    }
}

/// A UEFI that cannot keep its variables in itself has a file for them.
void fill_nvram(DomainDef& def, const HostFacts& facts) {
    OsDef& os = def.os;
    if (os.firmware || !os.loader || os.loader->type != LoaderType::pflash ||
        os.loader->readonly != YesNo::yes || os.loader->stateless == YesNo::yes) {
        return;
    }
    if (!os.nvram) {
        os.nvram.emplace();
    }
    if (os.nvram->storage().is_empty()) {
        os.nvram->path = facts.nvram_dir + "/" + def.name + "_VARS.fd";
    }
}

/// Features are what a firmware is chosen by. A stored definition may name some beside a firmware
/// that it names itself; they had no meaning there.
void fill_firmware_features(DomainDef& def, const PassOptions& options) {
    OsDef& os = def.os;
    if (!os.firmware && !os.firmware_features.empty()) {
        if (options.new_definition) {
            refuse(
                def.where, "firmware", "features need <os firmware='efi'>, which chooses by them");
        }
        os.firmware_features.clear();
    }
}

void fill_os(OsDef& os) {
    if (os.boot_menu && os.boot_menu->enable != YesNo::yes) {
        os.boot_menu->timeout_ms.reset();
    }
    if (os.loader && os.loader->path && !os.loader->type) {
        os.loader->type = LoaderType::rom;
    }
    const auto find = [&](std::string_view name) {
        return std::ranges::find(os.firmware_features, name, &FirmwareFeature::name);
    };
    const auto keys = find("enrolled-keys");
    if (keys != os.firmware_features.end() && keys->enabled == YesNo::yes &&
        find("secure-boot") == os.firmware_features.end()) {
        os.firmware_features.push_back({.enabled = YesNo::yes, .name = "secure-boot"});
    }
}

void fill_clock(ClockDef& clock) {
    if (clock.offset == ClockOffset::variable) {
        clock.adjustment = clock.adjustment.value_or("0");
        clock.basis = clock.basis.value_or(ClockBasis::utc);
    }
}

void fill_boot(DomainDef& def) {
    bool per_device = false;
    const auto look = [&](const auto& list) {
        per_device |= std::ranges::any_of(
            list, [](const auto& device) { return device.info.boot.has_value(); });
    };
    look(def.devices.disks);
    look(def.devices.interfaces);
    look(def.devices.hostdevs);
    look(def.devices.redirdevs);
    look(def.devices.filesystems);
    if (per_device && !def.os.boot_devices.empty()) {
        refuse(def.where, "os", "<boot dev=> and <boot order=> of devices exclude each other");
    }
    if (!per_device && def.os.boot_devices.empty()) {
        def.os.boot_devices.push_back(BootDevice::hd);
    }
}

/// A stored definition of old says 'dynamic' or 'static' where no security driver is.
void fill_seclabels(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    for (SeclabelDef& label : def.seclabels) {
        label.model = label.model.value_or(facts.security_driver);
        if (label.model == "none" && !options.active) {
            label = {.type = SeclabelType::none,
                     .model = label.model,
                     .relabel = {},
                     .label = {},
                     .imagelabel = {},
                     .baselabel = {},
                     .where = label.where};
        }
    }
}

void fill_lifecycle(DomainDef& def) {
    def.on_poweroff = def.on_poweroff.value_or(LifecycleAction::destroy);
    def.on_reboot = def.on_reboot.value_or(LifecycleAction::restart);
    def.on_crash = def.on_crash.value_or(LifecycleAction::destroy);
}

} // namespace

void fill_defaults(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    fill_controller_indexes(def);
    if (options.any_hypervisor) {
        def.os.arch = def.os.arch.value_or(facts.arch);
    } else {
        fill_machine(def, facts);
        add_machine_devices(def, facts);
        fill_cpu(def, facts);
        fill_seclabels(def, facts, options);
        fill_qemu_devices(def, facts);
        fill_nvram(def, facts);
        fill_firmware_features(def, options);
    }
    check_all([&] { fill_cells(def); }, [&] { fill_tuning(def); });
    if (!options.any_hypervisor) {
        fill_cell_cpus(def);
    }
    fill_memory(def, options);
    fill_clock(def.clock);
    fill_os(def.os);
    if (def.features && def.features->hyperv && !def.features->hyperv->mode) {
        def.features->hyperv->mode = HypervMode::custom;
    }
    if (def.metadata) {
        keep_one_per_namespace(*def.metadata);
    }
    std::ranges::sort(def.perf, {}, &PerfEvent::name);
    if (def.idmap) {
        std::ranges::sort(def.idmap->uids, {}, &IdMapping::start);
        std::ranges::sort(def.idmap->gids, {}, &IdMapping::start);
    }
    fill_lifecycle(def);
    fill_devices(def, facts, options);
    add_needed_devices(def);
    fill_boot(def);
}

} // namespace vireo::qemu
