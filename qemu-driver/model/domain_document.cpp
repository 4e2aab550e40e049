// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/model/domain_document.hpp"

#include "libshared/xml/parse.hpp"
#include "qemu-driver/model/assign_aliases.hpp"
#include "qemu-driver/model/device_list.hpp"
#include "qemu-driver/model/fill_defaults.hpp"
#include "qemu-driver/model/validate.hpp"

#include <algorithm>

namespace vireo::qemu {

namespace {

/// Aliases that a user gives; the others are the daemon's, and only of a running guest.
bool is_users(const std::string& alias) {
    return alias.starts_with("ua-");
}

/// That an image could not be labelled is known of a running guest; without that and without a
/// label of its own an override says nothing.
void drop_live(std::vector<SeclabelOverride>& seclabels) {
    for (SeclabelOverride& label : seclabels) {
        label.labelskip.reset();
    }
    std::erase_if(seclabels, [](const SeclabelOverride& label) {
        return !label.label && label.relabel != YesNo::no;
    });
}

void drop_live_image(DiskImage& image) {
    image.index.reset();
    drop_live(image.seclabels);
    if (image.backing) {
        drop_live_image(*image.backing);
    }
}

/// What only a running guest has.
void drop_live(DomainDef& def) {
    def.id.reset();
    for_each_device(def.devices, [](auto& device) {
        if (device.info.alias && !is_users(*device.info.alias)) {
            device.info.alias.reset();
        }
    });
    for (DiskDef& disk : def.devices.disks) {
        disk.mirror.reset();
        drop_live_image(disk.image);
    }
    for (ConsoleDef& console : def.devices.consoles) {
        console.tty.reset();
    }
    const auto drop_path = [](ChardevSource& source) {
        std::visit(
            [](auto& backend) {
                if constexpr (requires { backend.seclabels; }) {
                    drop_live(backend.seclabels);
                }
            },
            source.backend);
        if (auto* pty = std::get_if<PtyChardev>(&source.backend)) {
            pty->path.reset();
        }
    };
    const auto drop_paths = [&](auto& list) {
        for (auto& device : list) {
            drop_path(device.source);
        }
    };
    drop_paths(def.devices.serials);
    drop_paths(def.devices.parallels);
    drop_paths(def.devices.consoles);
    drop_paths(def.devices.channels);
    for (ChannelDef& channel : def.devices.channels) {
        channel.target_state.reset();
    }
    for (MemoryDeviceDef& memory : def.devices.memories) {
        memory.current_kib.reset();
    }
}

void drop_passwords(DomainDef& def) {
    for (GraphicsDef& graphics : def.devices.graphics) {
        if (auto* vnc = std::get_if<VncGraphics>(&graphics.kind)) {
            vnc->password = {};
        } else if (auto* spice = std::get_if<SpiceGraphics>(&graphics.kind)) {
            spice->password = {};
        }
    }
}

/// What an older or other daemon would not understand, and adds by itself.
void drop_implied(DomainDef& def) {
    Devices& devices = def.devices;
    std::erase_if(devices.inputs, [](const InputDef& input) {
        return input.bus == InputBus::ps2 && input.type != InputType::tablet;
    });
    std::erase_if(devices.controllers, [](const ControllerDef& c) {
        return c.type == ControllerType::usb && c.index == 0 &&
               c.model_as<UsbModel>() == UsbModel::piix3_uhci;
    });
}

} // namespace

DomainDef parse_domain(std::string_view text, bool active, xml::Problems* unknowns) {
    const xml::ParseOptions options{.unknown = xml::Unknown::report, .unknowns = unknowns};
    DomainDef def = xml::parse<DomainDef>(text, options);
    if (!active) {
        drop_live(def);
    }
    return def;
}

void complete_domain(DomainDef& def, const HostFacts& facts, const PassOptions& options) {
    fill_defaults(def, facts, options);
    if (options.any_hypervisor) {
        validate_document(def);
        return;
    }
    validate(def, facts);
    assign_addresses(def, facts, options);
}

DomainDef shown(DomainDef def, const DomainView& view) {
    if (!view.active) {
        drop_live(def);
    }
    if (!view.secure) {
        drop_passwords(def);
    }
    if (view.migratable) {
        drop_implied(def);
    }
    if (std::ranges::all_of(def.iothreads, &IothreadDef::automatic)) {
        def.iothreads.clear();
    }
    return def;
}

std::string format_domain(const DomainDef& def, const DomainView& view) {
    return xml::format(shown(def, view));
}

} // namespace vireo::qemu
