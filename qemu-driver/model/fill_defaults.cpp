// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/fill_defaults.hpp"

#include "qemu-driver/model/normalized_ranges.hpp"
#include "qemu-driver/model/problem.hpp"

#include <algorithm>
#include <numeric>

namespace vireo::qemu {

namespace {

void normalize(std::optional<std::string>& ranges, xml::Where where, std::string_view element) {
    if (ranges) {
        *ranges = normalized_ranges(*ranges, where, element);
    }
}

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

void fill_vcpus(DomainDef& def) {
    VcpuDef& vcpus = def.vcpus;
    normalize(vcpus.cpuset, def.where, "vcpu");
    if (!vcpus.placement) {
        vcpus.placement = Placement::static_;
    }
    if (vcpus.placement == Placement::auto_) {
        vcpus.cpuset.reset();
    }
    if (vcpus.current == vcpus.maximum) {
        vcpus.current.reset();
    }
}

void fill_iothreads(DomainDef& def) {
    if (def.iothread_count.value_or(0) == 0 && def.iothreads.empty()) {
        def.iothread_count.reset();
        return;
    }
    uint32_t next = 1;
    while (def.iothreads.size() < def.iothread_count.value_or(0)) {
        const auto taken = [&](const IothreadDef& t) { return t.id == next; };
        if (std::ranges::any_of(def.iothreads, taken)) {
            ++next;
            continue;
        }
        IothreadDef added;
        added.id = next;
        added.automatic = true;
        def.iothreads.push_back(added);
    }
    def.iothread_count = static_cast<uint32_t>(def.iothreads.size());
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

void fill_tuning(DomainDef& def) {
    if (def.cputune) {
        for (VcpuPin& pin : def.cputune->vcpu_pins) {
            pin.cpuset = normalized_ranges(pin.cpuset, def.where, "vcpupin");
        }
        for (IothreadPin& pin : def.cputune->iothread_pins) {
            pin.cpuset = normalized_ranges(pin.cpuset, def.where, "iothreadpin");
        }
        normalize(def.cputune->emulator_pin, def.where, "emulatorpin");
        std::ranges::sort(def.cputune->vcpu_pins, {}, &VcpuPin::vcpu);
        std::ranges::sort(def.cputune->iothread_pins, {}, &IothreadPin::iothread);
    }
    if (def.numatune) {
        if (def.numatune->memory) {
            NumaMemory& memory = *def.numatune->memory;
            normalize(memory.nodeset, def.where, "numatune");
            if (!memory.placement && !memory.nodeset && def.vcpus.placement == Placement::auto_) {
                memory.placement = NumaPlacement::auto_;
            }
            memory.mode = memory.mode.value_or(NumaMode::strict);
            if (memory.placement == NumaPlacement::static_ && memory.nodeset) {
                memory.placement.reset();
            }
        }
        for (NumaMemnode& node : def.numatune->memnodes) {
            node.nodeset = normalized_ranges(node.nodeset, def.where, "memnode");
        }
        std::ranges::sort(def.numatune->memnodes, {}, &NumaMemnode::cell);
    }
    if (def.vcpus.placement == Placement::auto_ && !def.numatune) {
        def.numatune.emplace().memory =
            NumaMemory{.mode = NumaMode::strict, .placement = NumaPlacement::auto_, .nodeset = {}};
    }
    if (def.memory_backing && def.memory_backing->hugepages) {
        for (HugePage& page : def.memory_backing->hugepages->pages) {
            normalize(page.nodeset, def.where, "page");
        }
    }
}

} // namespace

void fill_defaults(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    fill_machine(def, facts);
    add_machine_devices(def, facts);
    fill_cpu(def, facts);
    fill_vcpus(def);
    fill_iothreads(def);
    fill_memory(def, options);
    fill_clock(def.clock);
    fill_os(def.os);
    if (def.features && def.features->hyperv && !def.features->hyperv->mode) {
        def.features->hyperv->mode = HypervMode::custom;
    }
    for (SeclabelDef& label : def.seclabels) {
        label.model = label.model.value_or(facts.security_driver);
    }
    fill_tuning(def);
    def.on_poweroff = def.on_poweroff.value_or(LifecycleAction::destroy);
    def.on_reboot = def.on_reboot.value_or(LifecycleAction::restart);
    def.on_crash = def.on_crash.value_or(LifecycleAction::destroy);
    fill_devices(def, facts, options);
    add_needed_devices(def);
    fill_boot(def);
}

} // namespace vireo::qemu
