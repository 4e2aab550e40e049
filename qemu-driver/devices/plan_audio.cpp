// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_spice.hpp"

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// Sound goes where the screen goes; with VNC or no screen at all it goes nowhere, so that no guest
/// plays on the host's loudspeakers unasked.
const char* default_driver(const DomainDef& def) {
    for (const GraphicsDef& graphics : def.devices.graphics) {
        if (graphics.type() == GraphicsType::spice) {
            return "spice";
        }
        if (graphics.type() == GraphicsType::sdl) {
            return "sdl";
        }
    }
    return "none";
}

} // namespace

std::optional<uint32_t> audio_for_vnc(const PlanContext&, const VncGraphics& vnc) {
    return vnc.audio_id.value_or(1);
}

Plan plan_audio(const PlanContext& context) {
    json audio = json::object();
    audio["id"] = "audio1";
    audio["driver"] = default_driver(context.def);
    return {{"-audiodev", {}, std::move(audio), {}}};
}

} // namespace vireo::qemu
