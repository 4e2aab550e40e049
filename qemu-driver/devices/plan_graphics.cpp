// SPDX-License-Identifier: LGPL-2.1-or-later
#include "libshared/error.hpp"
#include "qemu-driver/devices/plan_devices.hpp"
#include "qemu-driver/devices/plan_secret.hpp"
#include "qemu-driver/devices/plan_spice.hpp"

#include <fmt/format.h>

namespace vireo::qemu {

using nlohmann::json;

namespace {

/// VNC's display 0 is this port.
constexpr int32_t first_vnc_port = 5900;

void require_display(const PlanContext& context, const char* type) {
    if (!context.caps.display_types.contains(type)) {
        throw Error(ErrorCode::config_unsupported,
                    "graphics type '{}': '{}' was built without it",
                    type,
                    context.caps.binary);
    }
}

std::string
vnc_place(const PlanContext& context, const GraphicsListen& listen, const VncGraphics& vnc) {
    if (std::holds_alternative<NoneListen>(listen.kind)) {
        return "none";
    }
    if (const auto* socket = std::get_if<SocketListen>(&listen.kind)) {
        return "unix:" + socket->path.value_or(context.facts.private_dir + "/vnc.sock");
    }
    const std::string address = listen_address(listen);
    if (!vnc.port || *vnc.port < 0) {
        throw Error(ErrorCode::internal, "graphics 'vnc' has no port yet");
    }
    if (*vnc.port < first_vnc_port) {
        throw Error(ErrorCode::config_unsupported,
                    "graphics 'vnc': port {} is below {}",
                    *vnc.port,
                    first_vnc_port);
    }
    const bool is_ipv6 = address.find(':') != std::string::npos;
    const int32_t display = *vnc.port - first_vnc_port;
    return is_ipv6 ? fmt::format("[{}]:{}", address, display)
                   : fmt::format("{}:{}", address, display);
}

void add_vnc_security(const PlanContext& context,
                      const VncGraphics& vnc,
                      Plan& plan,
                      OptionText& text) {
    const LaunchSettings& settings = context.facts.settings;
    if (vnc.password.password) {
        text.on_off("password", true);
    }
    if (settings.vnc_tls) {
        TlsWish wish;
        wish.id = "vnc-tls-creds0";
        wish.dir = settings.vnc_tls_x509_cert_dir;
        wish.listens = true;
        wish.verify_peer = settings.vnc_tls_x509_verify;
        wish.secret_uuid = settings.vnc_tls_x509_secret_uuid;
        wish.secret_id = "vnc-tls-creds0-secret0";
        append(plan, plan_tls_credentials(context, wish));
        text.add("tls-creds", "vnc-tls-creds0");
    }
    if (settings.vnc_sasl) {
        text.on_off("sasl", true);
    }
}

Plan plan_vnc(const PlanContext& context,
              const VncGraphics& vnc,
              const std::vector<GraphicsListen>& listens) {
    if (!context.caps.has_option("vnc")) {
        throw Error(ErrorCode::config_unsupported,
                    "graphics type 'vnc': '{}' was built without it",
                    context.caps.binary);
    }
    Plan plan;
    OptionText text;
    const GraphicsListen listen = listens.empty() ? GraphicsListen() : listens.front();
    const std::string place = vnc_place(context, listen, vnc);
    // QEMU takes a first word with '=' in it for an option: a socket's path may hold one.
    if (place.starts_with("unix:")) {
        text.add("vnc", place);
    } else {
        text.word(place);
    }
    if (vnc.websocket && *vnc.websocket < 0) {
        throw Error(ErrorCode::internal, "graphics 'vnc' has no port for WebSockets yet");
    }
    if (vnc.websocket) {
        text.add("websocket", static_cast<uint64_t>(*vnc.websocket));
    }
    if (vnc.share_policy) {
        text.add("share", name_of(*vnc.share_policy));
    }
    if (vnc.power_control) {
        text.on_off("power-control", *vnc.power_control == YesNo::yes);
    }
    add_vnc_security(context, vnc, plan, text);
    if (const auto audio = audio_for_vnc(context, vnc)) {
        text.add("audiodev", *audio);
    }
    plan.push_back(option_step("-vnc", text.take()));
    if (vnc.keymap) {
        plan.push_back(option_step("-k", *vnc.keymap));
    }
    return plan;
}

std::string render_node(const PlanContext& context, const std::optional<std::string>& wanted) {
    const auto& node = wanted ? wanted : context.facts.render_node;
    if (!node) {
        throw Error(ErrorCode::config_unsupported,
                    "graphics: OpenGL is wanted and the host has no DRM render node");
    }
    return *node;
}

Plan plan_sdl(const PlanContext& context, const SdlGraphics& sdl) {
    require_display(context, "sdl");
    OptionText text("sdl");
    if (sdl.gl_enable) {
        text.on_off("gl", *sdl.gl_enable == YesNo::yes);
    }
    Plan plan;
    if (sdl.fullscreen == YesNo::yes) {
        plan.push_back(flag_step("-full-screen"));
    }
    plan.push_back(option_step("-display", text.take()));
    return plan;
}

Plan plan_egl_headless(const PlanContext& context, const EglHeadlessGraphics& egl) {
    require_display(context, "egl-headless");
    OptionText text("egl-headless");
    text.add("rendernode", render_node(context, egl.rendernode));
    return {option_step("-display", text.take())};
}

Plan plan_dbus(const PlanContext& context, const DbusGraphics& dbus) {
    require_display(context, "dbus");
    OptionText text("dbus");
    if (dbus.p2p == YesNo::yes) {
        text.on_off("p2p", true);
    } else if (dbus.address) {
        text.add("addr", *dbus.address);
    } else {
        text.add("addr", "unix:path=" + context.facts.dbus_socket);
    }
    if (dbus.gl_enable) {
        text.on_off("gl", *dbus.gl_enable == YesNo::yes);
        if (*dbus.gl_enable == YesNo::yes) {
            text.add("rendernode", render_node(context, dbus.rendernode));
        }
    }
    if (dbus.audio_id) {
        text.add("audiodev", fmt::format("audio{}", *dbus.audio_id));
    }
    return {option_step("-display", text.take())};
}

} // namespace

std::string listen_address(const GraphicsListen& listen) {
    if (const auto* given = std::get_if<AddressListen>(&listen.kind); given && given->address) {
        return *given->address;
    }
    if (const auto* network = std::get_if<NetworkListen>(&listen.kind)) {
        if (!network->address) {
            throw Error(ErrorCode::config_unsupported,
                        "graphics: listening on network '{}' is not supported",
                        network->network);
        }
        return *network->address;
    }
    return "127.0.0.1";
}

Plan plan_graphics(const PlanContext& context, const GraphicsDef& graphics) {
    if (const auto* vnc = std::get_if<VncGraphics>(&graphics.kind)) {
        return plan_vnc(context, *vnc, graphics.listens);
    }
    if (const auto* spice = std::get_if<SpiceGraphics>(&graphics.kind)) {
        return plan_spice(context, *spice, graphics.listens);
    }
    if (const auto* sdl = std::get_if<SdlGraphics>(&graphics.kind)) {
        return plan_sdl(context, *sdl);
    }
    if (const auto* egl = std::get_if<EglHeadlessGraphics>(&graphics.kind)) {
        return plan_egl_headless(context, *egl);
    }
    if (const auto* dbus = std::get_if<DbusGraphics>(&graphics.kind)) {
        return plan_dbus(context, *dbus);
    }
    throw Error(ErrorCode::config_unsupported,
                "graphics type '{}' is not supported",
                name_of(graphics.type()));
}

} // namespace vireo::qemu
