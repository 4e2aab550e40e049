// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_chardev.hpp"
#include "qemu-driver/devices/plan_context.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_disk.hpp"
#include "qemu-driver/devices/plan_hostdev.hpp"
#include "qemu-driver/devices/plan_interface.hpp"
#include "qemu-driver/devices/plan_machine.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Buses before what sits on them, in the order in which libvirt adds them.
constexpr ControllerType controller_order[] = {ControllerType::pci,
                                               ControllerType::usb,
                                               ControllerType::scsi,
                                               ControllerType::ide,
                                               ControllerType::sata,
                                               ControllerType::virtio_serial,
                                               ControllerType::ccid,
                                               ControllerType::fdc};

Plan plan_master_key(const PlanContext& context) {
    if (!context.facts.master_key_file) {
        return {};
    }
    json secret = json::object();
    secret["qom-type"] = "secret";
    secret["id"] = "masterKey0";
    secret["format"] = "raw";
    secret["file"] = *context.facts.master_key_file;
    return {object_step(std::move(secret))};
}

Plan plan_monitor(const PlanContext& context) {
    Descriptor socket;
    socket.kind = DescriptorKind::monitor;
    socket.path = context.facts.private_dir + "/monitor.sock";
    socket.owner = "monitor";
    const std::string fd = context.descriptors.pass(std::move(socket));
    OptionText chardev("socket");
    chardev.add("id", "charmonitor").add("fd", fd).on_off("server", true).on_off("wait", false);
    OptionText monitor;
    monitor.add("chardev", "charmonitor").add("id", "monitor").add("mode", "control");
    return {option_step("-chardev", chardev.take()), option_step("-mon", monitor.take())};
}

Plan plan_controllers(const PlanContext& context) {
    Plan plan;
    const auto& all = context.def.devices.controllers;
    for (const ControllerType type : controller_order) {
        // A companion names its master's bus, so masters come first.
        for (const bool companions : {false, true}) {
            for (const ControllerDef& controller : all) {
                if (controller.type == type &&
                    controller.master_start_port.has_value() == companions) {
                    append(plan, plan_controller(context, controller));
                }
            }
        }
    }
    return plan;
}

/// Where the machine brings its floppy controller along, what boots from it is a global property.
Plan plan_floppy_boot(const PlanContext& context) {
    Plan plan;
    if (!has_own_floppy_controller(context.def.os)) {
        return plan;
    }
    for (const DiskDef& disk : context.def.devices.disks) {
        const auto index = context.boot.of(disk.info);
        const DriveAddress* at = disk.info.drive();
        if (disk.target.bus == DiskBus::fdc && index && at != nullptr) {
            plan.push_back(option_step(
                "-global",
                fmt::format("isa-fdc.bootindex{}={}", at->unit == 0 ? 'A' : 'B', *index)));
        }
    }
    return plan;
}

/// A transient disk that shares its image with other guests is plugged once its overlay is there.
bool is_plugged_later(const DiskDef& disk) {
    return disk.transient && disk.transient->share_backing == YesNo::yes;
}

/// The helper for persistent reservations, one for all disks.
Plan plan_reservations(const PlanContext& context) {
    for (const DiskDef& disk : context.def.devices.disks) {
        for (const DiskImage* image = &disk.image; image != nullptr; image = image->base()) {
            if (uses_managed_reservations(*image)) {
                return {managed_reservations_step(context)};
            }
        }
    }
    return {};
}

Plan plan_pci_hole(const PlanContext& context) {
    for (const ControllerDef& controller : context.def.devices.controllers) {
        if (controller.type == ControllerType::pci && controller.pcihole64_kib) {
            const char* host = context.def.os.is_q35() ? "q35-pcihost" : "i440FX-pcihost";
            return {option_step(
                "-global", fmt::format("{}.pci-hole64-size={}K", host, *controller.pcihole64_kib))};
        }
    }
    return {};
}

/// Slots of i440fx's own bus from which nothing can be unplugged.
Plan plan_root_hotplug(const PlanContext& context) {
    for (const ControllerDef& controller : context.def.devices.controllers) {
        if (controller.is_pci(PciModel::pci_root) && controller.index == 0U &&
            controller.target.hotplug) {
            return {option_step("-global",
                                fmt::format("PIIX4_PM.acpi-root-pci-hotplug={}",
                                            name_of(*controller.target.hotplug)))};
        }
    }
    return {};
}

Plan plan_videos(const PlanContext& context) {
    Plan plan;
    const auto& videos = context.def.devices.videos;
    const bool chosen = std::any_of(videos.begin(), videos.end(), [](const VideoDef& video) {
        return video.primary == YesNo::yes;
    });
    for (const VideoDef& video : videos) {
        const bool primary = chosen ? video.primary == YesNo::yes : &video == &videos.front();
        append(plan, plan_video(context, video, primary));
    }
    return plan;
}

Plan plan_start(const PlanContext& context) {
    const DomainDef& def = context.def;
    Plan plan;
    OptionText name;
    name.add("guest", def.name).on_off("debug-threads", true);
    plan.push_back(option_step("-name", name.take()));
    if (context.facts.start_paused) {
        plan.push_back(flag_step("-S"));
    }
    append(plan, plan_master_key(context));
    append(plan, plan_firmware(context));
    append(plan, plan_machine(context));
    append(plan, plan_launch_security(context));
    append(plan, plan_cpu(context));
    append(plan, plan_memory(context));
    plan.push_back(option_step("-uuid", def.uuid.value_or("")));
    append(plan, plan_sysinfo(def));
    if (def.devices.graphics.empty()) {
        plan.push_back(option_step("-display", "none"));
    }
    plan.push_back(flag_step("-no-user-config"));
    plan.push_back(flag_step("-nodefaults"));
    append(plan, plan_monitor(context));
    append(plan, plan_clock(context));
    append(plan, plan_boot(context));
    append(plan, plan_pci_hole(context));
    append(plan, plan_root_hotplug(context));
    return plan;
}

Plan plan_devices(const PlanContext& context) {
    const Devices& devices = context.def.devices;
    Plan plan;
    if (devices.iommu) {
        append(plan, plan_iommu(context, *devices.iommu));
    }
    append(plan, plan_controllers(context));
    append(plan, plan_floppy_boot(context));
    const auto each = [&](const auto& list, auto plan_one) {
        for (const auto& device : list) {
            append(plan, plan_one(context, device));
        }
    };
    each(devices.memories, plan_memory_device);
    each(devices.hubs, plan_hub);
    append(plan, plan_reservations(context));
    for (const DiskDef& disk : devices.disks) {
        if (!is_plugged_later(disk)) {
            append(plan, plan_disk(context, disk));
        }
    }
    each(devices.filesystems, plan_filesystem);
    each(devices.interfaces, plan_interface);
    each(devices.smartcards, plan_smartcard);
    each(devices.serials, plan_serial);
    each(devices.parallels, plan_parallel);
    each(devices.channels, plan_channel);
    each(devices.consoles, plan_console);
    each(devices.tpms, plan_tpm);
    each(devices.inputs, plan_input);
    each(devices.audios, plan_audio);
    each(devices.graphics, plan_graphics);
    append(plan, plan_videos(context));
    each(devices.sounds, plan_sound);
    each(devices.watchdogs, plan_watchdog);
    if (!devices.watchdogs.empty()) {
        append(plan, plan_watchdog_action(devices.watchdogs.front()));
    }
    each(devices.redirdevs, plan_redirdev);
    each(devices.hostdevs, plan_hostdev);
    if (devices.memballoon) {
        append(plan, plan_memballoon(context, *devices.memballoon));
    }
    each(devices.rngs, plan_rng);
    each(devices.panics, plan_panic);
    each(devices.shmems, plan_shmem);
    each(devices.cryptos, plan_crypto);
    if (devices.vsock) {
        append(plan, plan_vsock(context, *devices.vsock));
    }
    append(plan, plan_identity(context));
    return plan;
}

Plan plan_deprecation(const DomainDef& def) {
    if (!def.qemu_deprecation || *def.qemu_deprecation == DeprecationBehavior::none) {
        return {};
    }
    json policy = json::object();
    policy["deprecated-output"] = "hide";
    if (*def.qemu_deprecation != DeprecationBehavior::omit) {
        policy["deprecated-input"] = name_of(*def.qemu_deprecation);
    }
    return {{"-compat", {}, std::move(policy), {}}};
}

Plan plan_end(const PlanContext& context) {
    Plan plan;
    const LaunchSettings& settings = context.facts.settings;
    append(plan, plan_deprecation(context.def));
    if (context.facts.incoming) {
        plan.push_back(option_step("-incoming", *context.facts.incoming));
    }
    if (settings.seccomp_sandbox && context.caps.has_option("sandbox")) {
        OptionText text("on");
        for (const char* group : {"obsolete", "elevateprivileges", "spawn", "resourcecontrol"}) {
            text.add(group, "deny");
        }
        plan.push_back(option_step("-sandbox", text.take()));
    }
    if (settings.log_timestamp) {
        plan.push_back(option_step("-msg", OptionText().on_off("timestamp", true).take()));
    }
    return plan;
}

json override_value(const QemuProperty& property) {
    const std::string text = property.value.value_or("");
    try {
        switch (property.type) {
        case OverrideType::signed_:
            return std::stoll(text);
        case OverrideType::unsigned_:
            return std::stoull(text);
        case OverrideType::bool_:
            return text == "true";
        case OverrideType::string:
        case OverrideType::remove:
            break;
        }
    } catch (const std::exception&) {
        throw Error(ErrorCode::config_unsupported,
                    "qemu:property '{}': '{}' is not a number",
                    property.name,
                    text);
    }
    return text;
}

/// Puts the properties of `<qemu:override>` into the devices that they name.
void apply_overrides(const DomainDef& def, Plan& plan) {
    for (const QemuOverride& wish : def.qemu_overrides) {
        for (Step& step : plan) {
            if (step.option != "-device" || step.props.value("id", "") != wish.alias) {
                continue;
            }
            for (const QemuProperty& property : wish.properties) {
                if (property.type == OverrideType::remove) {
                    step.props.erase(property.name);
                } else {
                    step.props[property.name] = override_value(property);
                }
            }
        }
    }
}

std::vector<std::pair<std::string, std::string>> environment(const DomainDef& def) {
    std::vector<std::pair<std::string, std::string>> variables;
    if (def.clock.offset == ClockOffset::timezone && def.clock.timezone) {
        variables.emplace_back("TZ", *def.clock.timezone);
    }
    for (const GraphicsDef& graphics : def.devices.graphics) {
        if (const auto* sdl = std::get_if<SdlGraphics>(&graphics.kind)) {
            if (sdl->display) {
                variables.emplace_back("DISPLAY", *sdl->display);
            }
            if (sdl->xauth) {
                variables.emplace_back("XAUTHORITY", *sdl->xauth);
            }
        }
    }
    if (def.qemu_commandline) {
        for (const QemuEnv& variable : def.qemu_commandline->env) {
            variables.emplace_back(variable.name, variable.value.value_or(""));
        }
    }
    return variables;
}

} // namespace

LaunchRequest
build_launch(const DomainDef& def, const QemuCapabilities& caps, const LaunchFacts& facts) {
    DescriptorList descriptors(DescriptorList::Naming::numbers);
    const BootOrder boot(def);
    const PlanContext context{def, caps, facts, descriptors, boot};
    Plan plan = plan_start(context);
    append(plan, plan_devices(context));
    apply_overrides(def, plan);

    LaunchRequest request;
    request.argv.push_back(def.devices.emulator.value_or(facts.emulator));
    append(request.argv, plan);
    if (def.qemu_commandline) {
        const auto& args = def.qemu_commandline->args;
        request.argv.insert(request.argv.end(), args.begin(), args.end());
    }
    append(request.argv, plan_end(context));
    request.environment = environment(def);
    request.descriptors = descriptors.take();
    return request;
}

std::vector<std::string>
command_line(const DomainDef& def, const QemuCapabilities& caps, const LaunchFacts& facts) {
    return build_launch(def, caps, facts).argv;
}

} // namespace vireo::qemu
